import { describe, expect, test } from "vitest";
import { type BrokerParts, createBroker } from "../../src/broker/broker.ts";
import { createArgumentChecker } from "../../src/broker/check-arguments.ts";
import { deadline } from "../../src/broker/interceptors/deadline.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { createView } from "../../src/catalog/view.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Credential, CredentialRefusal } from "../../src/model/credential.ts";
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
    tenant: "",
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
    couldAllow: () => true,
    authorizeArguments: () => {
      steps.push("policies");
    },
    credentials: {
      resolve: async () => {
        steps.push("credential");
        return credential;
      },
      renew: async () => undefined,
      missing: async () => undefined,
      accepted: () => {},
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

describe("calls are counted", () => {
  const counting = () => {
    const counted: string[] = [];
    const { broker, steps } = makeBroker({
      count: ({ id }, { name }, kind) => {
        steps.push("count");
        counted.push(`${id} ${name} ${kind}`);
      },
    });
    return { broker, steps, counted };
  };

  test("once it is known what is called, before any work is done for it", async () => {
    const { broker, steps, counted } = counting();
    await broker.invoke(makeRequest());
    expect(steps.slice(0, 4)).toEqual(["view", "count", "arguments", "policies"]);
    expect(counted).toEqual(["anonymous get_book tool"]);
  });

  test("also where their arguments are refused, and not where there is no such tool", async () => {
    const { broker, counted } = counting();
    expect(await codeOf(broker.invoke(makeRequest({ arguments: {} })))).toBe("invalid_arguments");
    expect(counted).toHaveLength(1);
    const target = { kind: "tool", name: "other" } as const;
    expect(await codeOf(broker.invoke(makeRequest({ target })))).toBe("not_found");
    expect(counted).toHaveLength(1);
  });

  test("and nothing is done for one too many", async () => {
    const { broker, steps } = makeBroker({
      count: () => {
        throw new GatewayError("rate_limited", "Too many.");
      },
    });
    expect(await codeOf(broker.invoke(makeRequest()))).toBe("rate_limited");
    expect(steps).toEqual(["view"]);
  });
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
        renew: async () => undefined,
        missing: async () => undefined,
        accepted: () => {},
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
    interceptors: [deadline(() => 10)],
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

describe("a credential that the upstream refuses", () => {
  const renewedCredential: Credential = { ...credential, version: 2, headers: {} };
  const refused: HttpResult = {
    ...answer,
    status: 401,
    headers: { "www-authenticate": "Bearer" },
    isError: true,
  };

  /** A broker whose upstream answers what `answers` gives, one after the other. */
  function makeRenewing(answers: readonly HttpResult[], renewal: () => Promise<Credential | undefined>) {
    const used: Credential[] = [];
    const accepted: Credential[] = [];
    const refusals: CredentialRefusal[] = [];
    let signal: AbortSignal | undefined;
    const { broker, steps } = makeBroker({
      credentials: {
        resolve: async () => credential,
        missing: async () => undefined,
        renew: async (_refused, refusal, request) => {
          refusals.push(refusal);
          ({ signal } = request);
          return renewal();
        },
        accepted: (taken) => void accepted.push(taken),
      },
      executor: () => ({
        execute: async (_invocation, _tool, given) => {
          used.push(given);
          return answers[used.length - 1] ?? answer;
        },
      }),
    });
    return { broker, steps, used, accepted, refusals, signal: () => signal };
  }

  test("is replaced, and the call made once more, inside of the interceptors", async () => {
    const { broker, steps, used, accepted, refusals } = makeRenewing(
      [refused],
      async () => renewedCredential,
    );
    expect(await broker.invoke(makeRequest())).toBe(answer);
    expect(used).toEqual([credential, renewedCredential]);
    expect(accepted).toEqual([renewedCredential]);
    expect(refusals).toEqual([{ status: 401, challenge: "Bearer" }]);
    expect(steps.filter((step) => step === "before")).toHaveLength(1);
  });

  test("is not replaced twice", async () => {
    const { broker, used, accepted } = makeRenewing(
      [refused, refused, answer],
      async () => renewedCredential,
    );
    expect(await broker.invoke(makeRequest())).toMatchObject({ status: 401 });
    expect(used).toHaveLength(2);
    expect(accepted).toEqual([]);
  });

  test("stands where there is no other one", async () => {
    const { broker, used, accepted } = makeRenewing([refused], async () => undefined);
    expect(await broker.invoke(makeRequest())).toBe(refused);
    expect(used).toHaveLength(1);
    expect(accepted).toEqual([]);
  });

  test("and somebody has to connect again: the caller is told so", async () => {
    const failure = new GatewayError("reconnect_required", "Connect it again.", {
      details: { connect_url: "https://gateway.example.com/connect" },
    });
    const { broker } = makeRenewing([refused], async () => {
      throw failure;
    });
    await expect(broker.invoke(makeRequest())).rejects.toBe(failure);
  });

  test("for want of scopes is replaced, for want of permission not", async () => {
    const forbidden = { ...refused, status: 403, headers: {} };
    const plain = makeRenewing([forbidden], async () => renewedCredential);
    expect(await plain.broker.invoke(makeRequest())).toBe(forbidden);
    expect(plain.accepted).toEqual([credential]);
    const challenge = 'Bearer realm="x", error="insufficient_scope", scope="write"';
    const wanting = { ...forbidden, headers: { "www-authenticate": challenge } };
    const scopes = makeRenewing([wanting], async () => renewedCredential);
    expect(await scopes.broker.invoke(makeRequest())).toBe(answer);
    expect(scopes.refusals).toEqual([{ status: 403, challenge }]);
  });

  test("is told to have been taken when the call went well, or failed for another reason", async () => {
    const { broker, accepted } = makeRenewing([{ ...answer, status: 500 }], async () => renewedCredential);
    await broker.invoke(makeRequest());
    expect(accepted).toEqual([credential]);
  });

  test("is replaced within the time of the call", async () => {
    const { broker, signal } = makeRenewing([refused], async () => undefined);
    const caller = new AbortController();
    await broker.invoke(makeRequest({ signal: caller.signal }));
    expect(signal()?.aborted).toBe(false);
    caller.abort();
    expect(signal()?.aborted).toBe(true);
  });

  test("is left alone where nobody stored it", async () => {
    const told: string[] = [];
    const { broker } = makeBroker({
      credentials: {
        resolve: async () => ({ reference: undefined, headers: {}, query: {} }),
        missing: async () => undefined,
        renew: async () => {
          told.push("renew");
          return undefined;
        },
        accepted: () => void told.push("accepted"),
      },
      executor: () => ({ execute: async () => refused }),
    });
    expect(await broker.invoke(makeRequest())).toBe(refused);
    expect(told).toEqual([]);
  });
});
