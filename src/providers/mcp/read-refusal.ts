import { GatewayError } from "../../errors.ts";
import type { HttpStream } from "../../upstream/http-client.ts";
import { readLimited } from "../../upstream/read-limited.ts";
import { parseMessage } from "./parse-message.ts";
import { Refusal } from "./transport.ts";

const maxRefusalBytes = 64 * 1024;

/** Turns an answer with a status other than 2xx into an error; reads its body, so that the connection is free again. */
export async function readRefusal(stream: HttpStream): Promise<Refusal> {
  const text = await readText(stream);
  const message = parseMessage(text);
  return new Refusal({
    status: stream.status,
    rpc: message?.kind === "error" ? message.error : undefined,
    redirect: stream.headers["location"],
  });
}

async function readText(stream: HttpStream): Promise<string> {
  try {
    return Buffer.from(await readLimited(stream.body, maxRefusalBytes)).toString("utf8");
  } catch (error) {
    if (error instanceof GatewayError && error.code === "cancelled") throw error;
    // The status says enough; a body that is too large or breaks off adds nothing to it.
    return "";
  }
}
