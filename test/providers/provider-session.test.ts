import { describe, expect, test } from "vitest";
import { createDocumentLoader } from "../../src/documents/load-document.ts";
import { GatewayError } from "../../src/errors.ts";
import type { SurfaceConfig } from "../../src/model/config.ts";
import { createDocumentCompiler } from "../../src/providers/compile-thread/document-compiler.ts";
import type { OpenSurface, SurfaceChange } from "../../src/providers/provider-kind.ts";
import { ProviderSession, type ProviderSessionParts } from "../../src/providers/provider-session.ts";
import { isSameProvider } from "../../src/providers/same-provider.ts";
import { Secret } from "../../src/secret.ts";
import { createHttpClient } from "../../src/upstream/undici-client.ts";
import {
  makeFeatures,
  makeOperation,
  makeProvider,
  mcpSurface,
  placeAt,
  restSurface,
} from "../catalog/fixtures.ts";

interface Harness {
  readonly session: ProviderSession;
  readonly log: string[];
  readonly changes: () => number;
}

function makeSession(
  openSurface: ProviderSessionParts["openSurface"],
  overrides: Partial<ProviderSessionParts> = {},
  surfaces: readonly SurfaceConfig[] = [restSurface],
): Harness {
  const log: string[] = [];
  let changes = 0;
  const context = { ...makeContext(), log: (message: string) => void log.push(message) };
  const session = new ProviderSession(makeProvider("books", { surfaces }), {
    openSurface,
    context,
    blockedBy: () => undefined,
    onChange: () => {
      changes += 1;
    },
    retry: { first: 1, longest: 4 },
    ...overrides,
  });
  return { session, log, changes: () => changes };
}

function makeContext(): ProviderSessionParts["context"] {
  const http = createHttpClient();
  return {
    http,
    documents: createDocumentLoader({ http, remote: "skip", workingDirectory: "/" }),
    compile: createDocumentCompiler(undefined),
    allowedHosts: [],
    credential: () => ({ reference: undefined, headers: {}, query: {} }),
    environment: {},
    log: () => {},
  };
}

function makeSurface(overrides: Partial<OpenSurface> = {}): OpenSurface {
  return {
    operations: [makeOperation("list")],
    diagnostics: [],
    executor: {
      execute: async () => ({
        kind: "http",
        status: 200,
        headers: {},
        body: new Uint8Array(),
        isError: false,
      }),
    },
    origin: "declared",
    close: async () => {},
    ...overrides,
  };
}

const away = new GatewayError("provider_unavailable", "It is away.", { retryable: true });

test("a surface that is away is tried until it is there, and told once each way", async () => {
  let attempts = 0;
  const arrived = Promise.withResolvers<void>();
  const { session, log } = makeSession(
    async () => {
      attempts += 1;
      if (attempts < 4) throw away;
      return makeSurface();
    },
    { onChange: () => session.catalog().state === "ready" && arrived.resolve() },
  );
  await session.start();
  expect(session.catalog()).toMatchObject({ state: "unavailable", reason: "rest: It is away.", tools: [] });
  await arrived.promise;
  expect(session.catalog()).toMatchObject({ state: "ready", reason: undefined });
  expect(log).toEqual([
    "Provider books (rest) is not available: It is away.",
    "Provider books (rest) is here, with 1 tools.",
  ]);
  await session.close(0);
});

test("what an author has to mend is not tried again", async () => {
  let attempts = 0;
  let closed = 0;
  const count = async (): Promise<void> => {
    closed += 1;
  };
  const { session } = makeSession(async () => {
    attempts += 1;
    const broken = {
      severity: "error",
      code: "document-syntax",
      message: "Broken.",
      place: placeAt(4),
    } as const;
    return makeSurface({ operations: [], diagnostics: [broken], close: count });
  });
  await session.start();
  expect(session.diagnostics()).toMatchObject([{ code: "document-syntax" }]);
  expect(session.catalog().state).toBe("unavailable");
  await session.close(0);
  expect([attempts, closed]).toEqual([1, 1]);
});

test("closing ends attempts that are under way, and closes what arrives late", async () => {
  const opening = Promise.withResolvers<OpenSurface>();
  let closed = 0;
  const count = async (): Promise<void> => {
    closed += 1;
  };
  const { session, changes } = makeSession(() => opening.promise);
  const started = session.start();
  const closing = session.close(0);
  opening.resolve(makeSurface({ close: count }));
  await Promise.all([started, closing]);
  expect(closed).toBe(1);
  expect(changes()).toBe(0);
});

test("closing lets calls that run finish first", async () => {
  const running = Promise.withResolvers<void>();
  const steps: string[] = [];
  const { session } = makeSession(async () =>
    makeSurface({
      executor: {
        execute: async () => {
          await running.promise;
          steps.push("call ended");
          return { kind: "mcp", result: {}, isError: false };
        },
      },
      close: async () => void steps.push("closed"),
    }),
  );
  await session.start();
  const executor = session.executor("rest");
  // The stand-in looks at none of its arguments.
  const call = executor?.execute(...([] as unknown as Parameters<typeof executor.execute>));
  const closing = session.close(10_000);
  running.resolve();
  await Promise.all([call, closing]);
  expect(steps).toEqual(["call ended", "closed"]);
});

test("an upstream that goes away leaves its tools stale; its return and its changes are followed", async () => {
  let tell: (change: SurfaceChange) => void = () => {};
  const { session, log } = makeSession(async () =>
    makeSurface({
      origin: "upstream",
      watch: (listener) => {
        tell = listener;
      },
    }),
  );
  await session.start();
  const before = session.catalog().version;
  tell({ kind: "lost", reason: "The connection broke." });
  await expect
    .poll(() => session.catalog())
    .toMatchObject({ state: "stale", reason: "rest: The connection broke." });
  expect(session.catalog().tools).toHaveLength(1);
  tell({ kind: "operations", operations: [makeOperation("list"), makeOperation("add")], diagnostics: [] });
  await expect.poll(() => session.catalog()).toMatchObject({ state: "ready", reason: undefined });
  expect(session.catalog().tools).toHaveLength(2);
  expect(session.catalog().version).not.toBe(before);
  expect(log).toEqual([
    "Provider books (rest) is away: The connection broke.",
    "Provider books (rest) is back.",
  ]);
  await session.close(0);
});

test("changes of an upstream are taken in their order, and other work goes on meanwhile", async () => {
  let tell: (change: SurfaceChange) => void = () => {};
  const seen: string[] = [];
  const { session } = makeSession(
    async () =>
      makeSurface({
        origin: "upstream",
        watch: (listener) => {
          tell = listener;
        },
      }),
    {
      onChange: () => {
        const { state, tools } = session.catalog();
        seen.push(`${state} ${tools.length}`);
      },
    },
  );
  await session.start();
  const many = Array.from({ length: 20_000 }, (_, index) => makeOperation(`list-${index}`));
  tell({ kind: "operations", operations: many, diagnostics: [] });
  tell({ kind: "lost", reason: "The connection broke." });
  tell({ kind: "operations", operations: [makeOperation("list")], diagnostics: [] });
  setImmediate(() => seen.push("other work"));
  await expect.poll(() => seen, { timeout: 60_000 }).toHaveLength(5);
  expect(seen).toEqual(["ready 1", "other work", "ready 20000", "stale 20000", "ready 1"]);
  await session.close(0);
});

test("nothing of a change is shown once a session is closing", async () => {
  let tell: (change: SurfaceChange) => void = () => {};
  const { session, changes } = makeSession(async () =>
    makeSurface({
      origin: "upstream",
      watch: (listener) => {
        tell = listener;
      },
    }),
  );
  await session.start();
  const many = Array.from({ length: 20_000 }, (_, index) => makeOperation(`list-${index}`));
  tell({ kind: "operations", operations: many, diagnostics: [] });
  await session.close(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(changes()).toBe(1);
});

test("the version of what a provider offers covers everything that is shown of it", async () => {
  const versions = await Promise.all(
    [
      {},
      { displayName: "Other" },
      { description: "Other." },
      { mcp: { enabled: false, toolPrefix: "books_" } },
    ].map(async (overrides) => {
      const session = new ProviderSession(makeProvider("books", overrides), {
        openSurface: async () => makeSurface(),
        context: { log: () => {} } as unknown as ProviderSessionParts["context"],
        blockedBy: () => undefined,
        onChange: () => {},
        retry: undefined,
      });
      await session.start();
      return session.catalog().version;
    }),
  );
  expect(new Set(versions).size).toBe(versions.length);
});

test("providers are the same wherever they stand in the file, and differ when only a secret does", () => {
  const withToken = (token: string, line: number) =>
    makeProvider("books", {
      place: placeAt(line),
      connections: {
        default: {
          name: "default",
          displayName: "default",
          description: undefined,
          mode: "identity",
          auth: {
            type: "bearer",
            fields: [
              {
                name: "token",
                label: "Token",
                description: undefined,
                value: new Secret(token),
                target: { in: "header", header: "Authorization", prefix: "Bearer " },
              },
            ],
          },
          params: [],
          discovery: undefined,
          place: placeAt(line),
        },
      },
    });
  expect(isSameProvider(withToken("a", 3), withToken("a", 9))).toBe(true);
  expect(isSameProvider(withToken("a", 3), withToken("b", 3))).toBe(false);
  expect(isSameProvider(makeProvider("books"), makeProvider("books", { headers: { a: "b" } }))).toBe(false);
});

test("the files behind a provider are known, also while a surface can't be compiled from them", async () => {
  const broken = {
    severity: "error",
    code: "document-syntax",
    message: "Broken.",
    place: placeAt(4),
  } as const;
  const answers: Record<string, OpenSurface> = {
    rest: makeSurface(),
    openapi: makeSurface({ files: ["/docs/api.yaml", "/docs/part.yaml"] }),
    graphql: makeSurface({ operations: [], diagnostics: [broken], files: ["/docs/schema.graphql"] }),
  };
  const surfaces = Object.keys(answers).map((kind) => ({ ...restSurface, kind }) as SurfaceConfig);
  const { session } = makeSession(async ({ kind }) => answers[kind] ?? makeSurface(), {}, surfaces);
  expect(session.watchedFiles()).toEqual([]);
  await session.start();
  expect(session.watchedFiles()).toEqual(["/docs/api.yaml", "/docs/part.yaml", "/docs/schema.graphql"]);
  await session.close(0);
});

test("operations that the file's own choices leave out are told", async () => {
  const provider = makeProvider("books", {
    select: { include: [], exclude: [{ pattern: "delete*", place: placeAt(6) }] },
  });
  const session = new ProviderSession(provider, {
    openSurface: async () =>
      makeSurface({
        operations: [makeOperation("list"), makeOperation("delete"), makeOperation("deleteAll")],
      }),
    context: makeContext(),
    blockedBy: () => undefined,
    onChange: () => {},
    retry: undefined,
  });
  await session.start();
  expect(session.leftOut()).toEqual(["delete", "deleteAll"]);
  await session.close(0);
});

describe("what an MCP server has besides tools", () => {
  const features = makeFeatures({ prompts: ["ask"], resources: ["x:a"] }, { ttlMs: 9, scope: "public" });

  test("travels with its tools, and each change of it is another version", async () => {
    let tell: (change: SurfaceChange) => void = () => {};
    const watch: OpenSurface["watch"] = (listener) => {
      tell = listener;
    };
    const { session } = makeSession(async () => makeSurface({ origin: "upstream", features, watch }), {}, [
      mcpSurface,
    ]);
    await session.start();
    const first = session.catalog();
    expect(first).toMatchObject({
      offerings: { prompts: [{ name: "books_ask" }], resources: [{ name: "gw-books+x:a" }] },
      freshness: { ttlMs: 9, scope: "public" },
    });
    const operations = [makeOperation("list")];
    tell({ kind: "operations", operations, diagnostics: [], features: makeFeatures({ prompts: ["other"] }) });
    await expect.poll(() => session.catalog().offerings?.prompts).toMatchObject([{ name: "books_other" }]);
    const second = session.catalog();
    expect(second.version).not.toBe(first.version);
    expect(second.entries?.prompts).toBe(first.entries?.prompts);
    // A server that tells of its tools alone keeps the rest.
    tell({ kind: "operations", operations: [], diagnostics: [] });
    await expect.poll(() => session.catalog().tools).toEqual([]);
    expect(session.catalog().offerings?.prompts).toMatchObject([{ name: "books_other" }]);
    await session.close(0);
  });

  test("is nothing while nothing is open, and of other surfaces", async () => {
    const { session } = makeSession(
      async () => {
        throw away;
      },
      { retry: undefined },
      [mcpSurface],
    );
    await session.start();
    expect(session.catalog()).not.toHaveProperty("entries");
    const other = makeSession(async () => makeSurface({ features }));
    await other.session.start();
    expect(other.session.catalog()).not.toHaveProperty("offerings");
    await Promise.all([session.close(0), other.session.close(0)]);
  });
});

describe("what an upstream that is away last had", () => {
  test("is shown for a limited time; then it is looked for anew", async () => {
    let tell: (change: SurfaceChange) => void = () => {};
    let opened = 0;
    let closed = 0;
    const states: string[] = [];
    const { session, log } = makeSession(
      async () => {
        opened += 1;
        if (opened === 2) throw away;
        return makeSurface({
          origin: "upstream",
          watch: (listener) => {
            tell = listener;
          },
          close: async () => {
            closed += 1;
          },
        });
      },
      {
        staleMilliseconds: 20,
        onChange: () => {
          const { state, tools } = session.catalog();
          states.push(`${state} ${tools.length}`);
        },
      },
    );
    await session.start();
    tell({ kind: "lost", reason: "It broke." });
    tell({ kind: "lost", reason: "It broke again." });
    await expect.poll(() => states.at(-1), { timeout: 60_000 }).toBe("ready 1");
    await expect.poll(() => opened, { timeout: 60_000 }).toBe(3);
    await expect.poll(() => states.at(-1), { timeout: 60_000 }).toBe("ready 1");
    expect(states).toContain("stale 1");
    expect(states).toContain("unavailable 0");
    expect(closed).toBe(1);
    expect(log.join()).toContain("so long that its tools are not offered any more");
    await session.close(0);
  });

  test("stays where it comes back in time", async () => {
    let tell: (change: SurfaceChange) => void = () => {};
    const { session } = makeSession(
      async () =>
        makeSurface({
          origin: "upstream",
          watch: (listener) => {
            tell = listener;
          },
        }),
      { staleMilliseconds: 200 },
    );
    await session.start();
    tell({ kind: "lost", reason: "It broke." });
    tell({ kind: "operations", operations: [makeOperation("list")], diagnostics: [] });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(session.catalog()).toMatchObject({ state: "ready", tools: [{}] });
    await session.close(0);
  });
});

describe("lists wait", () => {
  test("until a provider was tried once", async () => {
    const opening = Promise.withResolvers<OpenSurface>();
    const { session } = makeSession(() => opening.promise, { arrivalMilliseconds: () => 60_000 });
    expect(session.arrival).toBeUndefined();
    const started = session.start();
    const { arrival } = session;
    expect(arrival).toBeDefined();
    opening.resolve(makeSurface());
    await arrival;
    expect(session.catalog().state).toBe("ready");
    expect(session.arrival).toBeUndefined();
    await started;
    await session.close(0);
  });

  test("but not for long, nor for one that is closed", async () => {
    const never = (): Promise<OpenSurface> => new Promise(() => {});
    const hanging = makeSession(never, { arrivalMilliseconds: () => 10 }).session;
    void hanging.start();
    await hanging.arrival;
    expect(hanging.arrival).toBeUndefined();
    expect(hanging.catalog().state).toBe("starting");
    const opening = Promise.withResolvers<OpenSurface>();
    const closing = makeSession(() => opening.promise, { arrivalMilliseconds: () => 60_000 }).session;
    void closing.start();
    const { arrival } = closing;
    const closed = closing.close(0);
    await arrival;
    opening.resolve(makeSurface());
    await closed;
  });
});
