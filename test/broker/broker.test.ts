import { describe, expect, test } from "vitest";
import { type BrokerParts, createBroker } from "../../src/broker/broker.ts";
import { createArgumentChecker } from "../../src/broker/check-arguments.ts";
import { deadline } from "../../src/broker/interceptors/deadline.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { createView } from "../../src/catalog/view.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Credential } from "../../src/model/credential.ts";
import type { Invocation, InvocationRequest } from "../../src/model/invocation.ts";
import type { HttpResult } from "../../src/model/result.ts";
import { Secret } from "../../src/secret.ts";
import { makeProviderCatalog, makeTool } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";

const tool = makeTool("get_book", {
  inputSchema: {
    type: "object",
    properties: { id: { type: "string" } },
    required: ["id"],
    additionalProperties: false,
  },
});
const { catalog } = mergeCatalog([makeProviderCatalog("books", [tool])], new Map());
const answer: HttpResult = { kind: "http", status: 200, headers: {}, body: new Uint8Array(), isError: false };
const credential: Credential = {
  reference: {
    owner: { kind: "gateway", id: "gateway" },
    provider: "books",
    connection: "default",
    instance: "default",
  },
  headers: { authorization: new Secret("Bearer x") },
  query: {},
};

function makeRequest(overrides: Partial<InvocationRequest> = {}): InvocationRequest {
  return {
    principal: principalOf("anonymous"),
    via: "mcp",
    target: { kind: "tool", name: "get_book" },
    arguments: { id: "emma" },
    peer: { capabilities: {}, ask: async () => null, notify: () => {} },
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** A broker that writes down the order of its steps. */
function makeBroker(overrides: Partial<BrokerParts> = {}) {
  const steps: string[] = [];
  const checkArguments = createArgumentChecker();
  const broker = createBroker({
    view: () => {
      steps.push("view");
      return createView(catalog, "mcp");
    },
    cleanArguments: (_tool, given) => given,
    checkArguments: (...call) => {
      steps.push("arguments");
      checkArguments(...call);
    },
    authorizeArguments: () => {
      steps.push("policies");
    },
    credentials: {
      resolve: async () => {
        steps.push("credential");
        return credential;
      },
    },
    executor: () => ({
      execute: async () => {
        steps.push("execute");
        return answer;
      },
    }),
    interceptors: [
      async (invocation, _tool, next) => {
        steps.push("before");
        const result = await next(invocation);
        steps.push("after");
        return result;
      },
    ],
    ...overrides,
  });
  return { broker, steps };
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error.code;
  throw new Error(`expected a GatewayError, got ${String(error)}`);
}

test("the sequence: find, check, credential, interceptors, execute", async () => {
  const { broker, steps } = makeBroker();
  expect(await broker.invoke(makeRequest())).toBe(answer);
  expect(steps).toEqual(["view", "arguments", "policies", "credential", "before", "execute", "after"]);
});

test("the executor learns for whom, with which credential and from which catalog", async () => {
  let seen: Invocation | undefined;
  const { broker } = makeBroker({
    executor: () => ({
      execute: async (invocation) => {
        seen = invocation;
        return answer;
      },
    }),
  });
  await broker.invoke(makeRequest({ principal: principalOf("user", "u1", "t1") }));
  expect(seen).toMatchObject({
    tenant: "t1",
    principal: { id: "u1" },
    provider: "books",
    tool: "get_book",
    credential: { connection: "default" },
    catalogVersion: catalog.version,
  });
});

describe("a call is refused", () => {
  test.each(["nothing", "GET_BOOK", "get_book ", "get_bооk", "", "__proto__", "constructor"])(
    "for the name %j, before anything else is looked at",
    async (name) => {
      const { broker, steps } = makeBroker();
      expect(await codeOf(broker.invoke(makeRequest({ target: { kind: "tool", name } })))).toBe("not_found");
      expect(steps).toEqual(["view"]);
    },
  );

  test("for arguments that do not fit, before a credential is touched", async () => {
    const { broker, steps } = makeBroker();
    expect(await codeOf(broker.invoke(makeRequest({ arguments: { ids: 1 } })))).toBe("invalid_arguments");
    expect(steps).toEqual(["view", "arguments"]);
  });

  test("without a credential, before anything is sent", async () => {
    const { broker, steps } = makeBroker({
      credentials: {
        resolve: async () => {
          throw new GatewayError("not_connected", "Connect it.");
        },
      },
    });
    expect(await codeOf(broker.invoke(makeRequest()))).toBe("not_connected");
    expect(steps).not.toContain("execute");
  });

  test("while its provider is away", async () => {
    const { broker } = makeBroker({ executor: () => undefined });
    expect(await codeOf(broker.invoke(makeRequest()))).toBe("provider_unavailable");
  });
});

test("a call that takes too long times out, and its request is aborted", async () => {
  let aborted = false;
  const { broker } = makeBroker({
    interceptors: [deadline(10)],
    executor: () => ({
      execute: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted = true;
            reject(new GatewayError("cancelled", "Aborted."));
          });
        }),
    }),
  });
  expect(await codeOf(broker.invoke(makeRequest()))).toBe("timed_out");
  expect(aborted).toBe(true);
});
