import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { AuthorizationConfig } from "../../src/model/config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Principal } from "../../src/model/principal.ts";
import { principalOf } from "../principals.ts";
import { createUniverse, policyOf, usualProviders } from "./universe.ts";

const surfaces = ["mcp", "api"] as const;
const names = usualProviders.flatMap(({ tools }) => tools.map(({ name }) => name));

const scopes = fc.array(
  fc.constantFrom<string>(
    "*",
    "books",
    "crm/get",
    "read:*",
    "read:crm",
    "*/delete",
    "books/get*",
    "acme",
    "inner/*",
    "bad scope",
  ),
  { maxLength: 3 },
);
const condition = fc.constantFrom(
  ...["tool.destructive", "tool.read_only", "tool.provider == 'crm'", "principal.tenant == 'acme'"],
  ...["'r' in principal.roles", "principal.roles[0] == 'r'", "tool.name.matches('get')", "has(arguments.x)"],
  ...["tool.read_only && arguments.x == 1", "tool.provider == 'books' || arguments.x > 0", "true", "false"],
  ...["principal.kind == 'service' && arguments.list.exists(i, i == 1)"],
);
const policy = fc
  .tuple(fc.constantFrom("allow", "deny"), condition)
  .map(([effect, when]) => policyOf(effect, when));
const effect = fc.constantFrom("allow", "deny");
const settings: fc.Arbitrary<AuthorizationConfig> = fc.record({
  default: effect,
  destructive: effect,
  roles: fc.option(
    fc.record({ r: scopes.map(roleOf), s: scopes.map(roleOf), anonymous: scopes.map(roleOf) }),
    { nil: undefined },
  ),
  policies: fc.array(policy, { maxLength: 4 }),
});
const principal: fc.Arbitrary<Principal> = fc
  .record({
    kind: fc.constantFrom<Principal["kind"]>("anonymous", "user", "service", "operator"),
    tenant: fc.constantFrom("default", "acme"),
    roles: fc.subarray(["r", "s", "t"]),
    scopes: fc.option(scopes, { nil: undefined }),
    exposure: fc.oneof(
      fc.constant<Principal["exposure"]>({ kind: "all" }),
      fc.record({
        kind: fc.constant("selected" as const),
        providers: fc.subarray(["books", "crm", "acme"]),
        tools: fc.subarray(["*_get", "crm_*", "books_delete"]),
      }),
    ),
  })
  .map(({ kind, tenant, ...rest }) => principalOf(kind, kind, tenant, rest));
const call = fc.constantFrom<JsonObject>(
  {},
  { x: 1 },
  { x: 2 },
  { x: null },
  { x: "1" },
  { list: [1] },
  { list: [2], x: 0 },
);

function roleOf(list: readonly string[]) {
  return { description: undefined, scopes: list, scopeOrigins: [] };
}

test("a tool is in the view if and only if its explanation does not deny it", () => {
  fc.assert(
    fc.property(principal, settings, (who, rules) => {
      const { authorizer } = createUniverse(rules);
      for (const surface of surfaces) {
        const view = authorizer.view(who, surface);
        const explained = names.filter((name) => authorizer.explain(who, surface, name).outcome !== "denied");
        expect(view.tools.map(({ name }) => name)).toEqual(explained.toSorted());
        for (const name of names) {
          const listed = explained.includes(name);
          expect(view.findTool(name) !== undefined).toBe(listed);
          const [provider = "", operation = ""] = name.split("_");
          expect(view.findOperation(provider, operation) !== undefined).toBe(listed);
          const { outcome, steps } = authorizer.explain(who, surface, name);
          expect(steps.some((step) => step.outcome === "denies")).toBe(outcome === "denied");
          if (outcome === "depends") expect(steps.some((step) => step.outcome === "depends")).toBe(true);
        }
        const shown = new Set(view.tools.map(({ provider }) => provider));
        expect(view.providers.map(({ name }) => name).toSorted()).toEqual([...shown].toSorted());
        expect(view.providers.flatMap(({ tools }) => tools.map(({ name }) => name)).toSorted()).toEqual(
          explained.toSorted(),
        );
        expect(view.notice !== undefined).toBe(explained.length === 0);
      }
    }),
    { numRuns: 500 },
  );
});

test("a tool that is in the view could be, and one that a caller could not get never is", () => {
  fc.assert(
    fc.property(principal, settings, (who, rules) => {
      const { authorizer } = createUniverse(rules);
      for (const surface of surfaces)
        for (const tool of authorizer.view(who, surface).tools)
          expect(authorizer.couldAllow(who, tool)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("what is allowed for sure is never refused for its arguments, and what is denied always", () => {
  fc.assert(
    fc.property(principal, settings, call, (who, rules, callArguments) => {
      const { authorizer, snapshot } = createUniverse(rules);
      for (const tool of snapshot.catalog.tools) {
        const { outcome, steps } = authorizer.explain(who, "api", tool.name);
        const policies = steps.filter(({ check }) => ["policy", "destructive", "default"].includes(check));
        let refused = false;
        try {
          authorizer.checkArguments(who, tool, callArguments);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          refused = true;
        }
        if (outcome === "allowed") expect(refused).toBe(false);
        if (policies.some((step) => step.outcome === "denies")) expect(refused).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("another policy that denies never adds a tool, and narrower scopes never do", () => {
  fc.assert(
    fc.property(principal, settings, condition, scopes, (who, rules, when, narrower) => {
      const before = new Set(
        createUniverse(rules)
          .authorizer.view(who, "mcp")
          .tools.map(({ name }) => name),
      );
      const stricter = { ...rules, policies: [...rules.policies, policyOf("deny", when)] };
      const denied = createUniverse(stricter).authorizer.view(who, "mcp");
      for (const { name } of denied.tools) expect(before.has(name)).toBe(true);
      const narrowed = {
        ...who,
        scopes: who.scopes?.filter((scope) => narrower.includes(scope)) ?? narrower,
      };
      for (const { name } of createUniverse(rules).authorizer.view(narrowed, "mcp").tools)
        expect(before.has(name)).toBe(true);
      const fewer = { ...rules, policies: rules.policies.filter((one) => one.effect === "deny") };
      for (const { name } of createUniverse(fewer).authorizer.view(who, "mcp").tools)
        expect(before.has(name)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("what is kept of earlier principals changes nothing for later ones", () => {
  fc.assert(
    fc.property(fc.array(principal, { minLength: 2, maxLength: 8 }), settings, (everybody, rules) => {
      const shared = createUniverse(rules).authorizer;
      for (const who of [...everybody, ...everybody.toReversed()]) {
        const alone = createUniverse(rules).authorizer.view(who, "mcp");
        expect(shared.view({ ...who }, "mcp").tools.map(({ name }) => name)).toEqual(
          alone.tools.map(({ name }) => name),
        );
        expect(shared.view(who, "mcp").notice).toBe(alone.notice);
      }
    }),
    { numRuns: 200 },
  );
});
