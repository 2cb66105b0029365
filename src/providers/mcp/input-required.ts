import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import { asObject, isJsonObject } from "../../json-object.ts";
import { canAsk, isAskable } from "../../mcp/askable.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { InputRequired } from "../../model/result.ts";
import { cleanQuestion } from "./clean-question.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Most questions that one answer may hold. */
const maxQuestions = 64;

/** What an upstream asks the client. */
interface Question {
  readonly key: string;
  readonly method: string;
  readonly params: JsonObject;
}

/** A result that wants input, read. */
export interface WantedInput {
  readonly questions: readonly Question[];
  /** What the upstream wants back, byte for byte; `undefined`: nothing. */
  readonly state: string | undefined;
}

/**
 * Reads an `InputRequiredResult` (MCP 2026-07-28, multi round-trip requests). Throws `upstream_failed` where it asks for nothing, or
 * for too much, or in a way that is not passed on, and `unsupported` where it asks for what clients don't do.
 */
export function readInputRequired({ inputRequests, requestState }: JsonObject): WantedInput {
  const requests = Object.entries(asObject(inputRequests) ?? {});
  const isState = requestState === undefined || typeof requestState === "string";
  if (requests.length > maxQuestions || !isState || (requests.length === 0 && requestState === undefined)) {
    throw new GatewayError(
      "upstream_failed",
      "The upstream MCP server asked for input in a way that can't be answered.",
    );
  }
  return { questions: requests.map(([key, request]) => readQuestion(key, request)), state: requestState };
}

/** Gives the questions to a client that takes them as a result. Throws `unsupported` where it can't answer all of them. */
export function passOnInput({ questions, state }: WantedInput, { capabilities }: ClientPeer): InputRequired {
  for (const { method, params } of questions) {
    // The upstream was told what the client can be asked; what it asks beyond that would only fail there.
    if (canAsk(capabilities, method, params)) continue;
    throw new GatewayError(
      "unsupported",
      `The upstream asked for \`${method}\`, which this client does not support. Call the tool from a client that does.`,
    );
  }
  const requests = questions.map(({ key, method, params }) => [key, { method, params }] as const);
  return { kind: "input_required", requests: Object.fromEntries(requests), state };
}

/** Asks a client that answers requests. Resolves with what the call is repeated with: answers by key, and the state as it came. */
export async function askForInput(
  { questions, state }: WantedInput,
  ask: (method: string, params: JsonObject) => Promise<JsonValue>,
  signal: AbortSignal,
): Promise<JsonObject> {
  const answering = questions.map(async ({ key, method, params }) => {
    const answer = await ask(method, withElicitationId(method, params));
    return [key, answer] as const;
  });
  const answers = await unlessAborted(signal, Promise.all(answering));
  return {
    ...(questions.length > 0 && { inputResponses: Object.fromEntries(answers) }),
    ...(state !== undefined && { requestState: state }),
  };
}

function readQuestion(key: string, request: JsonValue): Question {
  const method = isJsonObject(request) ? request["method"] : undefined;
  if (!isJsonObject(request) || typeof method !== "string" || !isAskable(method)) {
    throw new GatewayError(
      "unsupported",
      "The upstream MCP server asked the client for something that clients don't do.",
    );
  }
  // What of `_meta` concerns the upstream's own hop stays there.
  const params = cleanQuestion(method, withoutReservedMeta(asObject(request["params"]) ?? {}));
  if (params !== undefined) return { key, method, params };
  throw new GatewayError(
    "upstream_failed",
    "The upstream MCP server asked for a page that is none of the web, or in words with hidden characters. It was not passed on.",
  );
}

/** MCP 2025-11-25 wants an id on elicitations by URL, of which 2026-07-28 knows nothing. */
function withElicitationId(method: string, params: JsonObject): JsonObject {
  const isByUrl = method === "elicitation/create" && params["mode"] === "url";
  return isByUrl ? { ...params, elicitationId: randomUUID() } : params;
}
