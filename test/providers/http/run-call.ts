import type { IncomingHttpHeaders, RequestListener } from "node:http";
import { exposeSurface } from "../../../src/catalog/expose.ts";
import type { HttpBinding, Tool } from "../../../src/model/catalog.ts";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type { Credential } from "../../../src/model/credential.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { HttpResult } from "../../../src/model/result.ts";
import { annotationsOf } from "../../../src/providers/http/annotations.ts";
import type { Clock } from "../../../src/providers/http/clock.ts";
import { createHttpExecutor, type HttpExecutorOptions } from "../../../src/providers/http/execute.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { makeOperation, makeProvider, restSurface } from "../../catalog/fixtures.ts";
import { startHttp } from "../../upstream/loopback.ts";

/** An answer of the upstream; a function answers, or breaks off, by itself. */
export type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | RequestListener;

/** What a call came to, and what the upstream saw of it. */
export interface Ran {
  readonly result: HttpResult;
  readonly requests: readonly {
    readonly line: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }[];
  /** Pauses between attempts, in ms. */
  readonly pauses: readonly number[];
}

export interface Call {
  readonly binding: HttpBinding;
  readonly arguments?: JsonObject;
  readonly provider?: Partial<ProviderConfig>;
  readonly credential?: Partial<Credential>;
  /** One after another; the last one is repeated. `$BASE` in texts stands for the upstream. */
  readonly replies: readonly Reply[];
  readonly inputSchema?: JsonObject;
  readonly readOnly?: boolean;
  readonly options?: Partial<HttpExecutorOptions>;
  readonly signal?: AbortSignal;
  readonly endsAt?: number;
  readonly clock?: Partial<Clock>;
}

/** A clock that stands still but for the pauses, which take no time. */
export function pausedClock(changes: Partial<Clock> = {}): Clock & { readonly pauses: number[] } {
  const pauses: number[] = [];
  let now = 0;
  return {
    pauses,
    now: () => now,
    date: () => Date.parse("2026-11-20T08:00:00Z") + now,
    wait: async (milliseconds, signal) => {
      // Longer ones are limits that the tests do not mean to meet.
      if (milliseconds > 40_000) return new Promise(() => {});
      pauses.push(milliseconds);
      now += milliseconds;
      return !signal.aborted;
    },
    random: () => 0.5,
    ...changes,
  };
}

/** Calls the operation as the gateway would, against a server on loopback. */
export async function runCall(call: Call): Promise<Ran> {
  const requests: { line: string; headers: IncomingHttpHeaders; body: string }[] = [];
  await using upstream = await startHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    const reply = call.replies[Math.min(requests.length, call.replies.length) - 1] ?? {};
    if (typeof reply === "function") {
      reply(request, response);
      return;
    }
    const withBase = (text: string): string => text.replaceAll("$BASE", upstream.url);
    const { status = 200, headers = {}, body: answer = "" } = reply;
    const isText = typeof answer === "string";
    response.writeHead(status, {
      ...(!isText && { "content-type": "application/json" }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, withBase(value)])),
    });
    response.end(withBase(isText ? answer : JSON.stringify(answer)));
  });
  const client = createHttpClient();
  const clock = pausedClock(call.clock);
  try {
    const base = `${upstream.url}${new URL(call.binding.baseUrl).pathname.replace(/\/$/, "")}`;
    const binding = { ...call.binding, baseUrl: base };
    const provider = makeProvider("acme", call.provider);
    const operation = makeOperation("call", {
      method: binding.method,
      path: binding.path,
      binding,
      inputSchema: call.inputSchema ?? { type: "object", properties: {} },
      annotations: call.readOnly
        ? { ...annotationsOf(binding.method), readOnlyHint: true }
        : annotationsOf(binding.method),
    });
    const [tool] = exposeSurface(provider, {
      surface: restSurface,
      operations: [operation],
      origin: "declared",
    });
    const executor = createHttpExecutor(provider, client, { clock, ...call.options });
    // Only what the executor reads.
    const invocation = {
      arguments: call.arguments ?? {},
      signal: call.signal ?? new AbortController().signal,
      ...(call.endsAt !== undefined && { endsAt: call.endsAt }),
    } as Invocation;
    const credential: Credential = { reference: undefined, headers: {}, query: {}, ...call.credential };
    const result = await executor.execute(invocation, tool as Tool, credential);
    if (result.kind !== "http") throw new Error("Not an HTTP result.");
    return { result, requests, pauses: clock.pauses };
  } catch (error) {
    throw Object.assign(error as Error, { requests, pauses: clock.pauses });
  } finally {
    await client.close();
  }
}

/** The body of a result, parsed. */
export function answerOf(result: HttpResult): unknown {
  return JSON.parse(Buffer.from(result.body).toString());
}
