import { asObject } from "../../../src/json-object.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { type Answer, baseHeaders, modernRequest, post } from "./wire.ts";

/** A client of 2026-07-28 that makes one call over several rounds by hand. */
export interface RoundCaller {
  /** One round: the call's params, with these in addition. */
  round(more?: JsonObject, options?: RoundOptions): Promise<Round>;
  /** The same without waiting for its answer. */
  begin(more?: JsonObject, options?: RoundOptions): Promise<Response>;
}

export interface RoundOptions {
  readonly user?: string;
  readonly method?: string;
  readonly signal?: AbortSignal;
  readonly capabilities?: JsonObject;
}

/** What a round came to. */
export interface Round extends Answer {
  readonly result: JsonObject;
  readonly error: JsonObject | undefined;
  /** What the client is asked, and what it has to bring back with the answers. */
  readonly requests: Readonly<Record<string, JsonObject>>;
  readonly state: string;
}

/** All that a client can be asked. */
export const allCapabilities: JsonObject = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {} },
  roots: {},
};

let ids = 0;

/** @param params those of the call, with a `_meta` that is added to each round. */
export function roundsOf(url: string, params: JsonObject, user = "ada"): RoundCaller {
  const write = (more: JsonObject, options: RoundOptions) => {
    ids += 1;
    const { capabilities = allCapabilities, method = "tools/call" } = options;
    const { message, headers } = modernRequest(
      method,
      {
        ...params,
        ...more,
        _meta: {
          "io.modelcontextprotocol/clientCapabilities": capabilities,
          ...asObject(params["_meta"]),
          ...asObject(more["_meta"]),
        },
      },
      ids,
    );
    return { message, headers: { ...headers, "x-user": options.user ?? user } };
  };
  return {
    round: async (more = {}, options = {}) => {
      const { message, headers } = write(more, options);
      const answer = await post(url, message, headers);
      const result = asObject(answer.message["result"]) ?? {};
      const requests = Object.entries(asObject(result["inputRequests"]) ?? {});
      return {
        ...answer,
        result,
        error: asObject(answer.message["error"]),
        requests: Object.fromEntries(requests.map(([key, request]) => [key, asObject(request) ?? {}])),
        state: String(result["requestState"]),
      };
    },
    begin: (more = {}, options = {}) => {
      const { message, headers } = write(more, options);
      return fetch(url, {
        method: "POST",
        headers: { ...baseHeaders, ...headers },
        body: JSON.stringify(message),
        ...(options.signal && { signal: options.signal }),
      });
    },
  };
}

/** The answer that accepts a form. */
export function accept(content: JsonObject = {}): JsonObject {
  return { action: "accept", content };
}

/** That answer to all that a round asks. */
export function acceptAll({ requests, state }: Round, content: JsonObject = {}): JsonObject {
  const inputResponses = Object.fromEntries(Object.keys(requests).map((key) => [key, accept(content)]));
  return { inputResponses, requestState: state };
}
