import { describe, expect, test } from "vitest";
import type { CatalogView } from "../../src/catalog/view.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Tool } from "../../src/model/catalog.ts";
import type { AuthorizationConfig } from "../../src/model/config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Principal } from "../../src/model/principal.ts";
import { principalOf } from "../principals.ts";
import {
  createUniverse,
  policyOf,
  providerOf,
  settingsOf,
  surfaceIn,
  toolOf,
  usualProviders,
} from "./universe.ts";

const user = principalOf("user", "ada");
const everything = [
  "books_delete",
  "books_get",
  "books_getAll",
  "books_put",
  "crm_delete",
  "crm_get",
  "crm_put",
];
const role = (...scopes: readonly string[]) => ({ description: undefined, scopes, scopeOrigins: [] });

function namesOf(view: CatalogView): readonly string[] {
  return view.tools.map(({ name }) => name);
}

function listed(principal: Principal, settings: Partial<AuthorizationConfig> = {}): readonly string[] {
  return namesOf(createUniverse(settings).authorizer.view(principal, "mcp"));
}

describe("what a principal sees", () => {
  test("is all of the surface where nothing says otherwise", () => {
    const { authorizer } = createUniverse();
    expect(namesOf(authorizer.view(user, "mcp"))).toEqual(everything);
    expect(namesOf(authorizer.view(user, "api"))).toEqual([...everything, "inner_get"]);
  });

  test("includes a provider's tools in its tenants only", () => {
    expect(listed(principalOf("user", "ada", "acme"))).toContain("acme_get");
    expect(listed(user)).not.toContain("acme_get");
    // The tenant that it acts in counts, not the one that it is of.
    expect(listed(principalOf("user", "ada", "other", { home: "acme" }))).not.toContain("acme_get");
    const nobody = createUniverse({}, [providerOf("none", ["get"], { tenants: [] })]);
    expect(nobody.authorizer.view(user, "mcp").tools).toEqual([]);
  });

  test.each<[Principal["exposure"], readonly string[]]>([
    [{ kind: "all" }, everything],
    [{ kind: "selected", providers: [], tools: [] }, []],
    [{ kind: "selected", providers: ["crm"], tools: [] }, ["crm_delete", "crm_get", "crm_put"]],
    [
      { kind: "selected", providers: [], tools: ["crm_get", "*_delete"] },
      ["books_delete", "crm_delete", "crm_get"],
    ],
    [{ kind: "selected", providers: ["CRM", "crm*"], tools: ["CRM_get", "crm", "get"] }, []],
  ])("follows what the tenant selects: %j", (exposure, expected) => {
    expect(listed({ ...user, exposure })).toEqual(expected);
  });

  test("is what any of its roles allows, once roles are declared", () => {
    const roles = { reader: role("read:*"), editor: role("crm"), anonymous: role("books/get"), none: role() };
    const of = (...names: readonly string[]) => listed({ ...user, roles: names }, { roles });
    expect(of()).toEqual([]);
    expect(of("none")).toEqual([]);
    expect(of("undeclared", "constructor", "__proto__")).toEqual([]);
    expect(of("reader")).toEqual(["books_get", "books_getAll", "crm_get"]);
    expect(of("reader", "editor")).toEqual(["books_get", "books_getAll", "crm_delete", "crm_get", "crm_put"]);
    expect(listed(principalOf("anonymous"), { roles })).toEqual(["books_get"]);
    expect(listed({ ...user, roles: ["reader"] })).toEqual(everything);
    expect(listed({ ...user, roles: ["operator", "admin"] }, { roles: {} })).toEqual([]);
  });

  test("is narrowed by the scopes of its token", () => {
    const of = (...scopes: readonly string[]) => listed({ ...user, scopes });
    expect(of()).toEqual([]);
    expect(of("read:books", "crm/put")).toEqual(["books_get", "books_getAll", "crm_put"]);
    expect(of("inner", "acme")).toEqual([]);
    expect(of("not a scope")).toEqual([]);
  });

  test("goes by what the operator vouches for, not by hints", () => {
    const annotations = {
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    };
    const liar = toolOf("mcp/wipe", {
      annotations,
      effects: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
    });
    const providers = [{ ...providerOf("mcp", []), tools: [liar] }];
    const see = (settings: Partial<AuthorizationConfig>, scopes?: readonly string[]) =>
      namesOf(createUniverse(settings, providers).authorizer.view({ ...user, scopes }, "mcp"));
    expect(see({})).toEqual(["mcp_wipe"]);
    expect(see({}, ["read:*"])).toEqual([]);
    expect(see({ destructive: "deny" })).toEqual([]);
    expect(see({ policies: [policyOf("deny", "!tool.read_only")] })).toEqual([]);
  });

  test("follows what holds without policies", () => {
    expect(listed(user, { destructive: "deny" })).toEqual(
      everything.filter((name) => !name.endsWith("delete")),
    );
    expect(listed(user, { default: "deny", destructive: "deny" })).toEqual([]);
    // Nobody means that only what destroys may be used.
    expect(listed(user, { default: "deny" })).toEqual([]);
  });

  test("follows policies, and one that denies beats all that allow", () => {
    const allow = policyOf("allow", "tool.provider == 'crm'");
    const deny = policyOf("deny", "tool.destructive");
    expect(listed(user, { default: "deny", destructive: "deny", policies: [allow] })).toEqual([
      "crm_delete",
      "crm_get",
      "crm_put",
    ]);
    expect(listed(user, { default: "deny", policies: [allow, deny] })).toEqual(["crm_get", "crm_put"]);
    expect(listed(user, { default: "deny", policies: [deny, allow] })).toEqual(["crm_get", "crm_put"]);
    // Roles and scopes are not widened by any policy.
    const all = [policyOf("allow", "true")];
    expect(listed({ ...user, scopes: ["crm/get"] }, { policies: all })).toEqual(["crm_get"]);
    expect(listed(user, { policies: all, roles: {} })).toEqual([]);
    expect(listed(user, { policies: all })).not.toContain("acme_get");
    expect(listed(user, { policies: all })).not.toContain("inner_get");
    const none = { kind: "selected", providers: [], tools: [] } as const;
    expect(listed({ ...user, exposure: none }, { policies: all })).toEqual([]);
  });

  test("lists what only arguments decide", () => {
    const onArguments = [policyOf("deny", "arguments.amount > 100")];
    expect(listed(user, { policies: onArguments })).toEqual(everything);
    const allows = [policyOf("allow", "tool.provider == 'crm' && arguments.amount < 100")];
    expect(listed(user, { default: "deny", policies: allows })).toEqual(["crm_delete", "crm_get", "crm_put"]);
  });

  test("is less where a policy can't be evaluated or does not compile", () => {
    const failing = "principal.roles[5] == 'x'";
    expect(listed(user, { policies: [policyOf("deny", failing)] })).toEqual([]);
    expect(listed(user, { default: "deny", policies: [policyOf("allow", failing)] })).toEqual([]);
    const broken = createUniverse({ policies: [policyOf("deny", "no such thing", { name: "broken" })] });
    expect(broken.authorizer.view(user, "mcp").tools).toEqual([]);
    expect(broken.logged.join()).toContain("broken");
  });

  test("is nothing where that can't be decided", () => {
    const { authorizer, snapshot } = createUniverse();
    const hostile = { ...user, exposure: { kind: "selected", providers: ["crm"] } };
    // @ts-expect-error: a principal that no room makes
    const view = authorizer.view(hostile, "mcp");
    expect(view.tools).toEqual([]);
    expect(view.providers).toEqual([]);
    expect(view.findTool("crm_get")).toBeUndefined();
    expect(view.notice).toContain("could be determined");
    expect(view.catalogVersion).toBe(snapshot.catalog.version);
  });
});

test("the operator beside the file may use all, on each surface", () => {
  const settings = {
    default: "deny",
    destructive: "deny",
    roles: {},
    policies: [policyOf("deny", "true"), policyOf("deny", "has(arguments.x)")],
  } as const;
  const { authorizer, snapshot } = createUniverse(settings);
  const operator = principalOf("operator", "operator", "default", {
    scopes: [],
    exposure: { kind: "selected", providers: [], tools: [] },
  });
  expect(authorizer.view(operator, "api")).toBe(snapshot.view("api"));
  expect(authorizer.view(operator, "mcp").findTool("inner_get")).toBeUndefined();
  expect(() => authorizer.checkArguments(operator, toolOf("books/put"), { x: 1 })).not.toThrow();
  const { outcome, steps } = authorizer.explain(operator, "mcp", "acme_get");
  expect(outcome).toBe("allowed");
  expect(steps.map(({ check }) => check)).toEqual([
    ...["catalog", "surface", "provider-scope", "tenant-exposure", "roles", "scopes", "default"],
  ]);
  expect(steps.slice(2).every(({ detail }) => detail.includes("own machine"))).toBe(true);
  expect(authorizer.explain(operator, "mcp", "inner_get").outcome).toBe("denied");
});

describe("names", () => {
  const variants = (name: string): readonly string[] =>
    [
      ...[name.toUpperCase(), `${name} `, ` ${name}`, `${name}\u200b`, `${name}\u0000`, name.slice(0, -1)],
      ...[
        `${name}x`,
        `x${name}`,
        name.replace("_", "-"),
        name.replace("o", "\u043e"),
        `${name.normalize("NFD")}\u0301`,
      ],
      ...[name.replace("k", "\u212a"), name.replace("_", "/"), "__proto__", "constructor", "toString", ""],
    ].filter((variant) => variant !== name);
  test("are found exactly, and never when they are hidden", () => {
    const { authorizer } = createUniverse();
    const view = authorizer.view({ ...user, scopes: ["books/get"] }, "mcp");
    expect(view.findTool("books_get")?.name).toBe("books_get");
    expect(view.findOperation("books", "get")).toBe(view.findTool("books_get"));
    for (const name of [...variants("books_get"), "books_put", "acme_get", "inner_get"])
      expect([name, view.findTool(name)]).toEqual([name, undefined]);
    for (const name of [...variants("books"), "crm", "inner"])
      expect(view.findOperation(name, "get")).toBeUndefined();
    for (const name of [...variants("get"), "put", "get/get"])
      expect(view.findOperation("books", name)).toBeUndefined();
    expect(view.findOperation("books/get", "")).toBeUndefined();
    expect(view.findOperation("", "books/get")).toBeUndefined();
  });

  test("of other letters are explained as unknown", () => {
    const { authorizer } = createUniverse();
    for (const name of variants("books_get")) {
      const { outcome, steps } = authorizer.explain(user, "mcp", name);
      expect([outcome, steps.map(({ check }) => check)]).toEqual(["denied", ["catalog"]]);
    }
  });
});

describe("views are shared", () => {
  test("by the same principal, equal ones, and those who see the same", () => {
    const { authorizer, snapshot } = createUniverse(
      { roles: { a: role("crm"), b: role("crm/*"), all: role("*") } },
      [providerOf("books", ["get"]), providerOf("crm", ["get"])],
    );
    const of = (roles: readonly string[], id = "ada") =>
      authorizer.view(principalOf("user", id, "default", { roles }), "mcp");
    const one = principalOf("user", "ada", "default", { roles: ["a"] });
    expect(authorizer.view(one, "mcp")).toBe(authorizer.view(one, "mcp"));
    expect(of(["a"])).toBe(authorizer.view(one, "mcp"));
    expect(of(["a"], "bob")).toBe(authorizer.view(one, "mcp"));
    expect(of(["b"])).toBe(authorizer.view(one, "mcp"));
    expect(of(["all"])).toBe(snapshot.view("mcp"));
    expect(of([])).not.toBe(of(["a"]));
  });

  test("but not by those whom a policy tells apart", () => {
    const { authorizer } = createUniverse({ policies: [policyOf("deny", "principal.name == 'bob'")] });
    expect(authorizer.view(principalOf("user", "ada"), "mcp").tools).not.toEqual([]);
    expect(authorizer.view(principalOf("user", "bob"), "mcp").tools).toEqual([]);
  });

  test("until settings or catalog are replaced", () => {
    const { authorizer, replaceSettings, replaceProviders } = createUniverse();
    const before = authorizer.view(user, "mcp");
    replaceSettings(settingsOf({ policies: [policyOf("deny", "tool.provider == 'books'")] }));
    expect(namesOf(authorizer.view(user, "mcp"))).toEqual(["crm_delete", "crm_get", "crm_put"]);
    replaceProviders([providerOf("crm", ["get"])]);
    expect(namesOf(authorizer.view(user, "mcp"))).toEqual(["crm_get"]);
    replaceSettings(settingsOf({ default: "deny" }));
    expect(namesOf(authorizer.view(user, "mcp"))).toEqual([]);
    // What has begun goes on with what it found.
    expect(namesOf(before)).toEqual(everything);
  });

  test("for more principals than are kept", () => {
    const { authorizer } = createUniverse({
      policies: [policyOf("deny", "principal.name != tool.operation")],
    });
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 2_500; index += 1) {
        const name = index % 1_000 === 7 ? "get" : `user${index}`;
        const found = namesOf(authorizer.view(principalOf("user", name), "mcp"));
        expect(found).toEqual(name === "get" ? ["books_get", "crm_get"] : []);
      }
    }
  });
});

describe("providers of a view", () => {
  test("have the visible tools and counts of these only", () => {
    const { authorizer, snapshot } = createUniverse();
    const [books, ...others] = authorizer.view({ ...user, scopes: ["books/get*"] }, "mcp").providers;
    expect(others).toEqual([]);
    expect(books?.tools.map(({ name }) => name)).toEqual(["books_get", "books_getAll"]);
    expect(books?.surfaces).toEqual([{ kind: "rest", state: "ready", reason: undefined, tools: 2 }]);
    expect(snapshot.catalog.providers[0]?.tools).toHaveLength(4);
  });

  test("are never named to those who may not use them, complete or not", () => {
    const starting = { surfaces: [surfaceIn("starting")] };
    const providers = [
      providerOf("open", [], starting),
      providerOf("acme", [], { ...starting, tenants: ["acme"] }),
      providerOf("inner", [], { ...starting, mcpEnabled: false }),
      providerOf("hr", [], starting),
      providerOf("bare", [], { ...starting, toolPrefix: "" }),
    ];
    const see = (principal: Principal, settings: Partial<AuthorizationConfig> = {}) => {
      const view = createUniverse(settings, providers).authorizer.view(principal, "mcp");
      expect(view.incomplete).toEqual(view.providers);
      return view.providers.map(({ name }) => name);
    };
    expect(see(user)).toEqual(["open", "hr", "bare"]);
    expect(see(principalOf("user", "ada", "acme"))).toEqual(["open", "acme", "hr", "bare"]);
    expect(see({ ...user, scopes: ["hr/get"] })).toEqual(["hr"]);
    expect(see({ ...user, scopes: [] })).toEqual([]);
    expect(see({ ...user, roles: ["r"] }, { roles: { r: role("read:open") } })).toEqual(["open"]);
    expect(see(user, { policies: [policyOf("deny", "tool.provider == 'hr'")] })).toEqual(["open", "bare"]);
    expect(see(user, { policies: [policyOf("deny", "tool.name == 'hr_get'")] })).toEqual([
      "open",
      "hr",
      "bare",
    ]);
    expect(see(user, { default: "deny" })).toEqual([]);
    expect(see(user, { default: "deny", policies: [policyOf("allow", "tool.provider == 'hr'")] })).toEqual([
      "hr",
    ]);
    expect(see(user, { destructive: "deny" })).toEqual(["open", "hr", "bare"]);
    const selected = (names: readonly string[], tools: readonly string[]) =>
      see({ ...user, exposure: { kind: "selected", providers: names, tools } });
    expect(selected(["hr"], [])).toEqual(["hr"]);
    expect(selected([], ["hr_get", "books_*"])).toEqual(["hr"]);
    expect(selected([], ["h*"])).toEqual(["hr"]);
    expect(selected([], ["*_get"])).toEqual(["open", "hr", "bare"]);
    expect(selected([], ["hr"])).toEqual([]);
  });

  test("stay hidden when they are complete and have nothing for the caller", () => {
    const view = createUniverse().authorizer.view({ ...user, scopes: ["crm/absent"] }, "mcp");
    expect(view.providers).toEqual([]);
    const empty = createUniverse({}, [...usualProviders, providerOf("empty", [])]);
    expect(empty.authorizer.view(user, "mcp").providers.map(({ name }) => name)).toEqual([
      "books",
      "crm",
      "empty",
    ]);
  });

  test("are the reason for a view of their own", () => {
    const { authorizer } = createUniverse({}, [
      providerOf("books", ["get"]),
      providerOf("acme", [], { tenants: ["acme"], surfaces: [surfaceIn("unavailable")] }),
    ]);
    const acme = authorizer.view(principalOf("user", "ada", "acme"), "mcp");
    const other = authorizer.view(user, "mcp");
    expect(namesOf(acme)).toEqual(namesOf(other));
    expect(acme.incomplete).toHaveLength(1);
    expect(other.incomplete).toEqual([]);
    expect(other.providers).toHaveLength(1);
  });
});

describe("the notice for who gets no tools", () => {
  const noticeOf = (
    principal: Principal,
    settings: Partial<AuthorizationConfig> = {},
    providers = [providerOf("secretive", ["get"])],
  ) => createUniverse(settings, providers).authorizer.view(principal, "mcp").notice;
  const none = { kind: "selected", providers: [], tools: [] } as const;
  test.each<[string, string | undefined]>([
    ["the configuration file has no providers", noticeOf(user, {}, [])],
    ["no provider has any", noticeOf(user, {}, [providerOf("secretive", [])])],
    ["`mcp.enabled`", noticeOf(user, {}, [providerOf("secretive", ["get"], { mcpEnabled: false })])],
    ["for tenant `default`", noticeOf(user, {}, [providerOf("secretive", ["get"], { tenants: [] })])],
    ["gateway tenants update default", noticeOf({ ...user, exposure: none })],
    ["you have no role", noticeOf(user, { roles: {} })],
    ["for your role (r)", noticeOf({ ...user, roles: ["r"] }, { roles: {} })],
    ["for this token", noticeOf({ ...user, scopes: [] })],
    ["the policies of the gateway", noticeOf(user, { default: "deny" })],
  ])("says %s", (part, notice) => {
    expect(notice).toMatch(/^No tools configured/);
    expect(notice).toContain(part);
    expect(notice).not.toContain("secretive");
  });

  test("is not there for anybody else", () => {
    expect(noticeOf(user)).toBeUndefined();
    expect(
      noticeOf(user, {}, [providerOf("late", [], { surfaces: [surfaceIn("starting")] })]),
    ).toBeUndefined();
  });
});

describe("arguments", () => {
  const refusalOf = (
    settings: Partial<AuthorizationConfig>,
    callArguments: JsonObject,
    tool: Tool = toolOf("books/put"),
    principal = user,
  ): GatewayError | undefined => {
    try {
      createUniverse(settings).authorizer.checkArguments(principal, tool, callArguments);
      return undefined;
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
  };
  const deny = policyOf("deny", "arguments.amount > 100", { name: "few", message: "At most 100." });

  test("are refused with the policy's own words, or its name", () => {
    expect(refusalOf({ policies: [deny] }, { amount: 100 })).toBeUndefined();
    const refusal = refusalOf({ policies: [deny] }, { amount: 101 });
    expect(refusal).toMatchObject({
      code: "arguments_denied",
      message: "At most 100.",
      details: { policy: "few" },
    });
    const unnamed = policyOf("deny", deny.when, { name: "few" });
    expect(refusalOf({ policies: [unnamed] }, { amount: 101 })?.message).toContain("`few`");
  });

  test("say nothing of other policies", () => {
    const other = policyOf("deny", "arguments.amount > 1", { name: "hidden", message: "hidden" });
    const refusal = refusalOf({ policies: [deny, other] }, { amount: 101 });
    expect(JSON.stringify([refusal?.message, refusal?.details])).not.toContain("hidden");
  });

  test("have to be allowed where nothing else is", () => {
    const allow = policyOf("allow", "arguments.amount < 10", { name: "hidden" });
    expect(refusalOf({ default: "deny", policies: [allow] }, { amount: 1 })).toBeUndefined();
    const refusal = refusalOf({ default: "deny", policies: [allow] }, { amount: 10 });
    expect(refusal?.code).toBe("arguments_denied");
    expect(JSON.stringify([refusal?.message, refusal?.details])).not.toContain("hidden");
    expect(refusalOf({ policies: [allow] }, { amount: 10 })).toBeUndefined();
    const destroys = toolOf("books/delete");
    expect(refusalOf({ destructive: "deny", policies: [allow] }, { amount: 10 }, destroys)?.code).toBe(
      "arguments_denied",
    );
    expect(refusalOf({ destructive: "deny", policies: [allow] }, { amount: 1 }, destroys)).toBeUndefined();
    // One that denies beats it here, too.
    const both = [policyOf("allow", "arguments.amount > 1"), deny];
    expect(refusalOf({ default: "deny", policies: both }, { amount: 101 })?.message).toBe("At most 100.");
  });

  test("are refused where a policy fails on them", () => {
    expect(refusalOf({ policies: [deny] }, {})?.code).toBe("arguments_denied");
    expect(refusalOf({ policies: [deny] }, { amount: "much" })?.code).toBe("arguments_denied");
    const allow = policyOf("allow", "arguments.amount < 10");
    expect(refusalOf({ default: "deny", policies: [allow] }, {})?.code).toBe("arguments_denied");
    const loop = policyOf("deny", "arguments.list.exists(x, x == 'a')");
    const list = Array.from({ length: 20_000 }, () => "b");
    expect(refusalOf({ policies: [loop] }, { list })?.code).toBe("arguments_denied");
    expect(refusalOf({ policies: [loop] }, { list: ["b"] })).toBeUndefined();
    // Other tools are not concerned.
    const elsewhere = policyOf("deny", "tool.provider == 'crm' && arguments.list.exists(x, x == 'a')");
    expect(refusalOf({ policies: [elsewhere] }, { list })).toBeUndefined();
  });

  test("do not help where the tool itself is denied", () => {
    const policies = [policyOf("deny", "tool.provider == 'books'"), policyOf("allow", "has(arguments.x)")];
    expect(refusalOf({ policies }, { x: 1 })?.code).toBe("arguments_denied");
    expect(refusalOf({ default: "deny" }, {})).toBeInstanceOf(GatewayError);
  });
});

describe("an explanation", () => {
  const stepsOf = (principal: Principal, settings: Partial<AuthorizationConfig>, tool: string) => {
    const { outcome, steps } = createUniverse(settings).authorizer.explain(principal, "mcp", tool);
    return { outcome, steps: steps.map((step) => `${step.policy ?? step.check} ${step.outcome}`) };
  };

  test("has all steps, those behind the first that denies included", () => {
    const principal = { ...user, scopes: ["books"], roles: ["r"] };
    const settings = {
      destructive: "deny",
      roles: { r: role("read:*") },
      policies: [policyOf("deny", "tool.destructive"), policyOf("allow", "arguments.x == 1")],
    } as const;
    expect(stepsOf(principal, settings, "acme_get")).toEqual({
      outcome: "denied",
      steps: [
        ...[
          "catalog allows",
          "surface allows",
          "provider-scope denies",
          "tenant-exposure silent",
          "roles allows",
        ],
        ...["scopes denies", "tool.destructive silent", "arguments.x == 1 depends", "destructive silent"],
        "default allows",
      ],
    });
    expect(stepsOf(principal, settings, "books_delete")).toEqual({
      outcome: "denied",
      steps: [
        ...[
          "catalog allows",
          "surface allows",
          "provider-scope silent",
          "tenant-exposure silent",
          "roles denies",
        ],
        ...["scopes allows", "tool.destructive denies", "arguments.x == 1 depends", "destructive silent"],
        "default silent",
      ],
    });
  });

  test("tells of roles that the file does not declare", () => {
    const { authorizer } = createUniverse({ roles: { reader: role("read:*") } });
    const { steps } = authorizer.explain({ ...user, roles: ["reader", "redaer"] }, "mcp", "crm_put");
    expect(steps.find(({ check }) => check === "roles")?.detail).toBe(
      "No scope of roles `reader`, `redaer` allows it. The file does not declare `redaer`, which therefore gives nothing.",
    );
  });

  test("tells what the arguments decide", () => {
    const allow = [policyOf("allow", "arguments.x == 1")];
    expect(stepsOf(user, { destructive: "deny", policies: allow }, "books_delete")).toMatchObject({
      outcome: "depends",
      steps: expect.arrayContaining(["arguments.x == 1 depends", "destructive depends", "default silent"]),
    });
    expect(stepsOf(user, { default: "deny", policies: allow }, "books_get")).toMatchObject({
      outcome: "depends",
      steps: expect.arrayContaining(["default depends"]),
    });
    expect(stepsOf(user, { destructive: "deny" }, "books_delete")).toMatchObject({
      outcome: "denied",
      steps: expect.arrayContaining(["destructive denies", "default silent"]),
    });
    expect(stepsOf(user, { policies: [policyOf("deny", "arguments.x == 1")] }, "books_get").outcome).toBe(
      "depends",
    );
  });

  test("names what decided", () => {
    const exposure = { kind: "selected", providers: [], tools: ["crm_*", "*_get"] } as const;
    const { steps } = createUniverse().authorizer.explain({ ...user, exposure }, "mcp", "books_get");
    expect(steps.find(({ check }) => check === "tenant-exposure")?.detail).toContain("`*_get`");
  });
});
