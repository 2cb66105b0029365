import { randomUUID } from "node:crypto";
import type { Executor } from "../../broker/executor.ts";
import { pagesArgument } from "../../catalog/paginate.ts";
import { fillBaseUrl } from "../../fill-url.ts";
import { createRetryBudget, type RetryBudget } from "../../limits/retry-budget.ts";
import type { HttpBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import type { HttpClient, HttpRequest } from "../../upstream/http-client.ts";
import { dressRequest } from "../dress-request.ts";
import { bindRequest } from "./bind-request.ts";
import { type Clock, systemClock } from "./clock.ts";
import { collectPages, type SentPage } from "./collect-pages.ts";
import { mapResponse } from "./map-response.ts";
import { withPageSize } from "./next-page.ts";
import { type Answer, type AnswerLimits, usualLimits } from "./read-answer.ts";
import { idempotencyArgument, isRepeatable } from "./retry.ts";
import { send } from "./send.ts";

/** What calls share with those of other surfaces, and what tests replace: time, and how much of an answer is taken. */
export interface HttpExecutorOptions {
  /** What repetitions come out of. Default: a budget of its own. */
  readonly budget?: RetryBudget | undefined;
  readonly clock?: Clock;
  readonly limits?: AnswerLimits;
}

/** Sends calls of HTTP bindings: the `openapi` and `rest` surfaces. */
export function createHttpExecutor(
  provider: ProviderConfig,
  http: HttpClient,
  { budget: shared, clock = systemClock, limits = limitsOf(provider) }: HttpExecutorOptions = {},
): Executor {
  const budget = shared ?? createRetryBudget(provider.retries.budget, () => clock.now());
  return {
    async execute(invocation, tool, credential): Promise<HttpResult> {
      if (tool.binding.kind !== "http") throw new Error(`\`${tool.name}\` is not called over plain HTTP.`);
      const binding = fillBaseUrl(tool.binding, credential.params);
      const { [pagesArgument]: wanted, ...given } = invocation.arguments;
      const callArguments = withIdempotencyKey(binding, given, provider, randomUUID);
      const endsAt = invocation.endsAt ?? Number.POSITIVE_INFINITY;
      const hasKey = idempotencyKey(binding, callArguments) !== undefined;
      const retries = isRepeatable(binding.method, hasKey) ? provider.retries.attempts : 0;
      const sender = { http, clock, retries, budget, tenant: invocation.tenant, endsAt };

      const fetch = async (
        next: { readonly arguments: JsonObject; readonly url: string | undefined },
        maxBytes: number,
        signal: AbortSignal,
      ): Promise<SentPage> => {
        const { bound, dressed } = prepareRequest(binding, next.arguments, provider, credential, next.url);
        const answer = await send(sender, { ...dressed, signal }, withRoom(limits, maxBytes));
        return { result: toResult(answer, dressed.headers), arguments: next.arguments, url: bound.url };
      };
      const start = { arguments: withPageSize(binding, callArguments), url: undefined };
      const first = await fetch(start, limits.bytes, invocation.signal);
      if (binding.pagination === undefined || first.result.isError) {
        return mapResponse(first.result, tool.responseMapping);
      }
      return collectPages(first, {
        operation: { binding, pagination: binding.pagination, inputSchema: tool.inputSchema },
        mapping: tool.responseMapping,
        wanted: typeof wanted === "number" ? Math.min(wanted, binding.pagination.maxPages) : 1,
        maxItems: limits.items,
        maxBytes: limits.bytes,
        fetch,
        signal: invocation.signal,
        clock,
        endsAt,
      });
    },
  };
}

function limitsOf({ name, limits }: ProviderConfig): AnswerLimits {
  const { answerBytes, eventBytes = usualLimits.eventBytes } = limits;
  return { ...usualLimits, bytes: answerBytes, eventBytes, setAt: `providers.${name}.limits` };
}

/** What earlier pages have left of the room is no limit that the file sets. */
function withRoom(limits: AnswerLimits, bytes: number): AnswerLimits {
  return bytes === limits.bytes ? limits : { ...limits, bytes, setAt: undefined };
}

/** The request as it would go out, with what the provider sends itself and the credential. For previews. */
export function buildRequest(
  binding: HttpBinding,
  toolArguments: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
): Omit<HttpRequest, "signal"> {
  const filled = fillBaseUrl(binding, credential.params);
  const keyed = withIdempotencyKey(filled, toolArguments, provider, () => "[made for each call]");
  const given = withPageSize(filled, keyed);
  return prepareRequest(filled, given, provider, credential, undefined).dressed;
}

/** The request before and after it is dressed; `url` takes the place of the one that the arguments make. */
function prepareRequest(
  binding: HttpBinding,
  toolArguments: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
  url: string | undefined,
): { readonly bound: { readonly url: string }; readonly dressed: Omit<HttpRequest, "signal"> } {
  const bound = bindRequest(binding, toolArguments, provider.managedParameters);
  const { method, headers, body } = bound;
  const target = { url: url ?? bound.url, headers };
  const dressed = {
    method,
    ...dressRequest(target, provider, credential),
    ...(body !== undefined && { body }),
    namedBy: binding.addressFrom === "document" ? "upstream" : "operator",
  } as const;
  return { bound: target, dressed };
}

/** One key for all attempts of a call that the upstream may get twice, where the operation takes one and the caller gives none. */
function withIdempotencyKey(
  binding: HttpBinding,
  callArguments: JsonObject,
  provider: ProviderConfig,
  makeKey: () => string,
): JsonObject {
  const argument = idempotencyArgument(binding);
  const isNeeded = provider.retries.attempts > 0 && !isRepeatable(binding.method, false);
  if (argument === undefined || !isNeeded || idempotencyKey(binding, callArguments) !== undefined)
    return callArguments;
  return { ...callArguments, [argument]: makeKey() };
}

function idempotencyKey(binding: HttpBinding, callArguments: JsonObject): string | undefined {
  const argument = idempotencyArgument(binding);
  const given =
    argument !== undefined && Object.hasOwn(callArguments, argument) ? callArguments[argument] : "";
  return typeof given === "string" && given !== "" ? given : undefined;
}

function toResult(
  { status, headers, body, sequence, note, attempts }: Answer & { readonly attempts: number },
  sent: Readonly<Record<string, string>>,
): HttpResult {
  return {
    kind: "http",
    status,
    headers,
    body,
    isError: status >= 400 || (status >= 300 && !isUnchanged(status, sent)),
    ...(attempts > 1 && { attempts }),
    ...(sequence !== undefined && { sequence }),
    ...(note !== undefined && { notes: [note] }),
  };
}

/** What was asked for on the condition that it has changed, and has not: the answer that the caller wanted. */
function isUnchanged(status: number, sent: Readonly<Record<string, string>>): boolean {
  return status === 304 && (sent["if-none-match"] !== undefined || sent["if-modified-since"] !== undefined);
}
