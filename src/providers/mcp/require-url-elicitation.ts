import { asObject, isJsonObject } from "../../json-object.ts";
import { canAsk } from "../../mcp/askable.ts";
import type { ClientPeer } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { InputRequired } from "../../model/result.ts";
import { cleanQuestion } from "./clean-question.ts";
import { urlElicitationRequired } from "./pass-on-error.ts";
import { UpstreamRefusal } from "./transport.ts";

const maxPages = 16;
const keyPrefix = "page-";

/**
 * The error by which upstreams up to 2025-11-25 want pages opened before they carry a call out, as the questions that later clients
 * know; `undefined` for other errors, for clients that can't open pages, and where somebody declined to.
 */
export function inputForPages(
  error: unknown,
  { retry, capabilities }: ClientPeer,
): InputRequired | undefined {
  if (!(error instanceof UpstreamRefusal) || error.rpc?.code !== urlElicitationRequired) return undefined;
  if (retry === undefined || hasDeclined(retry.responses)) return undefined;
  const { elicitations } = asObject(error.rpc.data) ?? {};
  if (!Array.isArray(elicitations) || elicitations.length === 0 || elicitations.length > maxPages) {
    return undefined;
  }
  const questions = elicitations.map(readPage);
  const requests: [string, JsonObject][] = [];
  for (const [index, params] of questions.entries()) {
    if (params === undefined || !canAsk(capabilities, "elicitation/create", params)) return undefined;
    requests.push([`${keyPrefix}${index + 1}`, { method: "elicitation/create", params }]);
  }
  return { kind: "input_required", requests: Object.fromEntries(requests), state: undefined };
}

function readPage(elicitation: JsonValue): JsonObject | undefined {
  if (!isJsonObject(elicitation)) return undefined;
  const { url, message } = elicitation;
  return cleanQuestion("elicitation/create", {
    ...{ mode: "url", url: url ?? "" },
    message: typeof message === "string" ? message : "Please open this page.",
  });
}

/** Asking again would only ask the same. */
function hasDeclined(responses: JsonObject | undefined): boolean {
  return Object.entries(responses ?? {}).some(
    ([key, response]) => key.startsWith(keyPrefix) && asObject(response)?.["action"] !== "accept",
  );
}
