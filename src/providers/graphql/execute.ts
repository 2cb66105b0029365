import type { GraphQLSchema } from "graphql";
import type { Executor } from "../../broker/executor.ts";
import { isJsonObject } from "../../json-object.ts";
import { createRetryBudget, type RetryBudget } from "../../limits/retry-budget.ts";
import type { GraphqlAliases } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import type { HttpClient, HttpResponse } from "../../upstream/http-client.ts";
import { type Clock, systemClock } from "../http/clock.ts";
import { essence, isJsonMediaType } from "../http/media-type.ts";
import { repeat } from "../http/repeat.ts";
import { bindCall, buildRequest, toParameters } from "./bind-request.ts";
import { cleanErrors } from "./clean-errors.ts";
import { parseAnswer } from "./parse-answer.ts";
import { asksForDocument } from "./persisted-query.ts";
import { restoreAnswer } from "./restore-names.ts";
import { checkSelected } from "./select-argument.ts";

/** What calls share with those of other surfaces, and what tests replace. */
export interface GraphqlExecutorOptions {
  /** What repetitions come out of. Default: a budget of its own. */
  readonly budget?: RetryBudget | undefined;
  readonly clock?: Clock;
}

/**
 * Sends calls of GraphQL bindings as GraphQL over HTTP: a POST with a JSON body, or a form where files go along. Queries only
 * read, and are repeated where that may help.
 *
 * @param schema the schema of the surface as it is now, for what callers select themselves
 */
export function createGraphqlExecutor(
  provider: ProviderConfig,
  http: HttpClient,
  schema: () => GraphQLSchema | undefined,
  { budget: shared, clock = systemClock }: GraphqlExecutorOptions = {},
): Executor {
  const budget = shared ?? createRetryBudget(provider.retries.budget, () => clock.now());
  return {
    async execute(invocation, tool, credential): Promise<HttpResult> {
      const { binding } = tool;
      if (binding.kind !== "graphql") throw new Error(`\`${tool.name}\` is not called over GraphQL.`);
      const call = bindCall(binding, invocation.arguments);
      const known = schema();
      if (call.selectedBy !== undefined && known !== undefined)
        checkSelected(known, call.document, call.selectedBy, call.variables);
      const isQuery = binding.operationType === "query";
      const repetition = {
        ...{ clock, budget, tenant: invocation.tenant, retries: isQuery ? provider.retries.attempts : 0 },
        endsAt: invocation.endsAt ?? Number.POSITIVE_INFINITY,
      };
      let repetitions = 0;
      const send = async (parameters: JsonObject): Promise<HttpResponse> => {
        const { signal } = invocation;
        const request = { ...buildRequest(binding, parameters, provider, credential), signal };
        const open = async () => {
          const head = await http.request(request);
          return { head, read: () => Promise.resolve(head) };
        };
        const { answer, attempts } = await repeat(repetition, { isSafe: isQuery, signal, open });
        repetitions += attempts - 1;
        return answer;
      };
      let response = await send(toParameters(call, binding.persisted));
      if (binding.persisted?.kind === "hash") {
        const wanted = asksForDocument(parseAnswer(response.body));
        // A server that keeps no documents is sent the document alone.
        if (wanted !== "nothing")
          response = await send(
            toParameters(call, wanted === "document" ? binding.persisted : undefined, true),
          );
      }
      const result = toResult(response, call.selectedBy === undefined ? binding.aliases : undefined);
      return repetitions === 0 ? result : { ...result, attempts: repetitions + 1 };
    },
  };
}

const notGraphql =
  "This is no GraphQL answer, which would be JSON with `data` or `errors`, and not too deep or too large to read. Is the URL that of the GraphQL endpoint?";

/**
 * The upstream's answer, byte for byte unless the document had to use aliases or errors tell of the inside of the server. It
 * is an error when the upstream refused or answered something else than GraphQL, or when its errors left nothing of what was
 * asked for; data that came with errors beside it is a result, and keeps them.
 */
function toResult(response: HttpResponse, aliases: GraphqlAliases | undefined): HttpResult {
  const { status, headers, body } = response;
  const answer = parseAnswer(body);
  if (answer === undefined) {
    const failure = { kind: "http", status, headers, body, isError: true } as const;
    return status < 300 ? { ...failure, notes: [notGraphql] } : failure;
  }
  const isError = status >= 400 || isFailure(answer);
  const clean = cleanErrors(answer);
  const told = aliases === undefined ? clean : restoreAnswer(clean, aliases);
  const type = headers["content-type"] ?? "";
  if (told === answer && isJsonMediaType(type)) return { kind: "http", status, headers, body, isError };
  const { "content-length": _, ...remaining } = headers;
  return {
    kind: "http",
    status,
    // What is JSON but is not called so would be passed on as a text, and what is written anew is UTF-8.
    headers: { ...remaining, "content-type": isJsonMediaType(type) ? essence(type) : "application/json" },
    body: told === answer ? body : new TextEncoder().encode(JSON.stringify(told)),
    isError,
  };
}

/** Errors that left nothing: no data at all, or `null` for every root field. */
function isFailure({ data, errors }: JsonObject): boolean {
  if (!Array.isArray(errors) || errors.length === 0) return false;
  return !isJsonObject(data) || Object.values(data).every((value) => value === null);
}
