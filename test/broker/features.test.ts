import { describe, expect, test } from "vitest";
import { type BrokerParts, createBroker } from "../../src/broker/broker.ts";
import type { Executor } from "../../src/broker/executor.ts";
import { silentPeer } from "../../src/broker/silent-peer.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { createView } from "../../src/catalog/view.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Credential } from "../../src/model/credential.ts";
import type { Invocation, InvocationRequest } from "../../src/model/invocation.ts";
import type { McpResult } from "../../src/model/result.ts";
import { cleanArguments } from "../../src/providers/clean-arguments.ts";
import { makeFeatures, makeMcpCatalog } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";

const { catalog } = mergeCatalog([makeMcpCatalog("files", makeFeatures({ prompts: ["ask"] }))], new Map());
const answer: McpResult = { kind: "mcp", result: { messages: [] }, isError: false };
const credential: Credential = { reference: undefined, headers: {}, query: {} };

/** A broker that writes down what its parts are given. */
function makeBroker(executor: Partial<Executor> | undefined, overrides: Partial<BrokerParts> = {}) {
  const steps: string[] = [];
  const invocations: Invocation[] = [];
  const broker = createBroker({
    view: () => createView(catalog, "mcp"),
    cleanArguments,
    checkArguments: () => {
      throw new Error("The params of other methods are the upstream's to check.");
    },
    couldAllow: () => true,
    authorizeArguments: (_principal, tool, given) => {
      steps.push(`policies ${tool.name} ${JSON.stringify(given)}`);
    },
    credentials: {
      resolve: async (_request, tool) => {
        steps.push(`credential ${tool.operation}`);
        return credential;
      },
      renew: async () => undefined,
      missing: async () => undefined,
      accepted: () => {},
    },
    executor: () =>
      executor && {
        execute: async (invocation) => {
          invocations.push(invocation);
          return answer;
        },
        ...executor,
      },
    interceptors: [],
    ...overrides,
  });
  return { broker, steps, invocations };
}

function makeRequest(overrides: Partial<InvocationRequest> = {}): InvocationRequest {
  return {
    principal: principalOf("user"),
    via: "mcp",
    target: { kind: "feature", provider: "files", feature: "prompts", method: "prompts/get" },
    arguments: { name: "ask", arguments: { about: "gw-files+file:///a", other: "gw-else+file:///a" } },
    meta: { traceparent: "00-1" },
    peer: silentPeer(),
    signal: new AbortController().signal,
    ...overrides,
  };
}

test("a prompt takes the way of a call, with the method and the upstream's own URIs", async () => {
  const { broker, steps, invocations } = makeBroker({});
  expect(await broker.invoke(makeRequest())).toBe(answer);
  const params = { name: "ask", arguments: { about: "file:///a", other: "gw-else+file:///a" } };
  expect(steps).toEqual([`policies files_prompts/get ${JSON.stringify(params)}`, "credential prompts/get"]);
  expect(invocations).toMatchObject([
    {
      provider: "files",
      tool: "files_prompts/get",
      method: "prompts/get",
      arguments: params,
      meta: { traceparent: "00-1" },
    },
  ]);
});

test("what the caller has not is not there", async () => {
  const { broker, steps } = makeBroker({});
  const target = { kind: "feature", provider: "nobody", feature: "prompts", method: "prompts/get" } as const;
  await expect(broker.invoke(makeRequest({ target }))).rejects.toMatchObject({ code: "not_found" });
  await expect(broker.subscribe(makeRequest({ target }), () => {})).rejects.toMatchObject({
    code: "not_found",
  });
  expect(steps).toEqual([]);
});

describe("a subscription", () => {
  const request = makeRequest({
    target: { kind: "feature", provider: "files", feature: "resources", method: "resources/subscribe" },
    arguments: { uri: "file:///a" },
  });

  test("takes the same checks and credential as reading, and ends when it is ended", async () => {
    const ended: string[] = [];
    const heard: unknown[] = [];
    const { broker, steps } = makeBroker({
      subscribe: async (invocation, tool, used, updated) => {
        expect([invocation.method, tool.operation, used]).toEqual([
          "resources/subscribe",
          "resources/read",
          credential,
        ]);
        updated({ uri: "gw-files+file:///a" });
        return { end: () => void ended.push(String(invocation.arguments["uri"])) };
      },
    });
    const subscription = await broker.subscribe(request, (params) => void heard.push(params));
    expect(steps).toEqual(['policies files_resources/read {"uri":"file:///a"}', "credential resources/read"]);
    expect(heard).toEqual([{ uri: "gw-files+file:///a" }]);
    subscription.end();
    expect(ended).toEqual(["file:///a"]);
  });

  test("is made like a call, and counted: it is within the interceptors until it stands", async () => {
    const around: string[] = [];
    const { broker, steps } = makeBroker(
      {
        subscribe: async () => {
          around.push("made");
          return { end: () => {} };
        },
      },
      {
        count: (principal, tool, kind) => void steps.push(`count ${principal.id} ${tool.operation} ${kind}`),
        interceptors: [
          async (invocation, tool, next) => {
            around.push(`before ${tool.operation}`);
            const result = await next(invocation);
            around.push("after");
            return result;
          },
        ],
      },
    );
    await broker.subscribe(request, () => {});
    expect(steps[0]).toBe("count user resources/read feature");
    expect(around).toEqual(["before resources/read", "made", "after"]);
  });

  test("that an interceptor refuses is not made", async () => {
    const refusal = new GatewayError("rate_limited", "No.");
    const subscribe = () => Promise.reject(new Error("It was made."));
    const { broker } = makeBroker({ subscribe }, { interceptors: [() => Promise.reject(refusal)] });
    await expect(broker.subscribe(request, () => {})).rejects.toBe(refusal);
  });

  test("is refused by policies before anything is asked", async () => {
    const refusal = new GatewayError("arguments_denied", "No.");
    const { broker, steps } = makeBroker(
      {},
      {
        authorizeArguments: () => {
          throw refusal;
        },
      },
    );
    await expect(broker.subscribe(request, () => {})).rejects.toBe(refusal);
    expect(steps).toEqual([]);
  });

  test("is refused where there is none, or nobody", async () => {
    await expect(makeBroker({}).broker.subscribe(request, () => {})).rejects.toMatchObject({
      code: "unsupported",
    });
    await expect(makeBroker(undefined).broker.subscribe(request, () => {})).rejects.toMatchObject({
      code: "provider_unavailable",
    });
  });
});
