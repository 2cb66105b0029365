import { GatewayError } from "../../errors.ts";
import { type ResponseMessage, writeMessage } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { adaptQuestion } from "./adapt-question.ts";
import type { Reply } from "./face.ts";

/** Requests to the client of one session that wait for its answer. Ids are the session's own, whatever upstreams number. */
export class ClientRequests {
  #waiting: Map<string, (response: ResponseMessage) => void> | undefined;
  readonly #version: LegacyVersion;
  #asked = 0;

  constructor(version: LegacyVersion) {
    this.#version = version;
  }

  /**
   * Sends a request on the stream of the call that it is for, and waits. Throws `RpcError` with the client's own error, and
   * `cancelled` when `signal` aborts, which the client is told, or the client has left.
   */
  ask(stream: Reply, method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    this.#asked += 1;
    const id = `gateway-${this.#asked}`;
    this.#waiting ??= new Map();
    const waiting = this.#waiting;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        signal.removeEventListener("abort", cancel);
        waiting.delete(id);
      };
      const cancel = (): void => {
        stop();
        stream.send(
          writeMessage({
            kind: "notification",
            method: "notifications/cancelled",
            params: { requestId: id, ...reasonOf(signal) },
          }),
        );
        reject(clientLeft());
      };
      waiting.set(id, (response) => {
        stop();
        if (response.kind === "result") resolve(response.result);
        else reject(new RpcError(response.error.code, response.error.message, response.error.data));
      });
      signal.addEventListener("abort", cancel, { once: true });
      const known = adaptQuestion(method, params, this.#version);
      const message = writeMessage({ kind: "request", id, method, params: known });
      if (!signal.aborted && stream.send(message)) return;
      stop();
      reject(clientLeft());
    });
  }

  /** Takes a response of the client; one that nobody waits for any more is dropped. */
  answer(response: ResponseMessage): void {
    if (typeof response.id === "string") this.#waiting?.get(response.id)?.(response);
  }
}

/** Why nobody wants the answer any more, where somebody has said that. */
function reasonOf({ reason }: AbortSignal): JsonObject {
  return reason instanceof GatewayError ? { reason: reason.message } : {};
}

function clientLeft(): GatewayError {
  return new GatewayError("cancelled", "The client has left before it answered.");
}
