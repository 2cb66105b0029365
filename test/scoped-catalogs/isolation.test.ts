import { expect, test } from "vitest";
import { createAuthorizer } from "../../src/authorization/create-authorizer.ts";
import { createBroker } from "../../src/broker/broker.ts";
import { silentPeer } from "../../src/broker/silent-peer.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Principal } from "../../src/model/principal.ts";
import { principalOf } from "../principals.ts";
import {
  createTestSource,
  referenceOf,
  startGuarded,
  type TestSource,
} from "../providers/mcp/guarded-upstream.ts";
import { scopedProvider } from "../providers/scoped-session.ts";
import { stageOf } from "./harness.ts";

const rounds = 60;

/** Two tenants with a user of the same name in each, and one more; through catalogs, authorizer and broker, as calls go. */
test.each(["legacy", "modern"] as const)(
  "an upstream of the %s era: nobody sees or uses what is another's",
  async (era) => {
    const upstream = await startGuarded(era);
    const people = [
      principalOf("user", "ada", "acme"),
      principalOf("user", "ada", "umbrella"),
      principalOf("user", "bob", "acme"),
    ];
    const nameOf = ({ id, tenant }: Principal): string => `${id}_${tenant}`;
    const stage = await stageOf([scopedProvider(upstream.url)], { deadlineMilliseconds: () => 60_000 });
    const sources = new Map<Principal, TestSource>();
    for (const person of people) {
      const name = nameOf(person);
      upstream.tools.set(name, ["go", `only_${name}`]);
      upstream.accounts.set(`token-of-${name}-0`, name);
      const source = createTestSource(
        referenceOf(person.id, { tenant: person.tenant }),
        `token-of-${name}-0`,
      );
      // Each token can be replaced by the next one of the same account.
      source.renewal = (refused) => {
        const last = Number(refused.slice(refused.lastIndexOf("-") + 1));
        const next = `token-of-${name}-${last + 1}`;
        upstream.accounts.set(next, name);
        return next;
      };
      sources.set(person, source);
      stage.store(source);
    }
    const settings = { default: "allow", destructive: "allow", roles: undefined, policies: [] } as const;
    const authorizer = createAuthorizer({
      snapshot: stage.snapshot,
      indexOf: (principal) => stage.catalogs.index(principal),
      settings: () => settings,
    });
    const accepted: string[] = [];
    const broker = createBroker({
      view: ({ principal }) => authorizer.view(principal, "mcp"),
      cleanArguments: (_tool, given) => given,
      checkArguments: () => {},
      couldAllow: (...asked) => authorizer.couldAllow(...asked),
      authorizeArguments: (...call) => authorizer.checkArguments(...call),
      credentials: {
        resolve: async ({ principal }) => {
          const source = sources.get(principal);
          if (source === undefined) throw new GatewayError("not_connected", "Nobody has connected it.");
          return source.credential();
        },
        renew: async () => undefined,
        missing: async ({ principal }) =>
          sources.has(principal) ? undefined : new GatewayError("not_connected", "Nobody has connected it."),
        accepted: ({ reference }) => void accepted.push(`${reference?.owner.id}_${reference?.tenant}`),
      },
      executor: ({ provider, surface }) =>
        stage.sessions.find(({ config }) => config.name === provider)?.executor(surface),
      interceptors: [],
    });
    const call = async (principal: Principal, name: string, canary: string): Promise<string> => {
      await stage.catalogs.prepare(principal);
      const result = await broker.invoke({
        principal,
        via: "mcp",
        target: { kind: "tool", name },
        arguments: { canary },
        peer: silentPeer(),
        signal: new AbortController().signal,
      });
      return JSON.stringify(result.kind === "http" ? result.status : result.kind === "mcp" && result.result);
    };

    await Promise.all(people.map((person) => stage.catalogs.prepare(person)));
    for (const person of people) {
      expect(authorizer.view(person, "mcp").tools.map(({ name }) => name)).toEqual([
        "peer_go",
        `peer_only_${nameOf(person)}`,
      ]);
    }
    const work = Array.from({ length: rounds }, (_none, round) =>
      people.flatMap((person) => {
        // Tokens end in the middle of it all.
        if (round % 20 === 10) upstream.accounts.delete(sources.get(person)?.token ?? "");
        const name = nameOf(person);
        const canary = `${name}/${round}`;
        return ["peer_go", `peer_only_${name}`].map(async (tool) => {
          expect(await call(person, tool, canary)).toContain(`"${name} ${canary}"`);
        });
      }),
    ).flat();
    // Meanwhile everybody tries the tools of the others.
    const attempts = people.flatMap((person) =>
      people
        .filter((other) => other !== person)
        .map(async (other) => {
          await expect(call(person, `peer_only_${nameOf(other)}`, "stolen")).rejects.toMatchObject({
            code: "not_found",
          });
        }),
    );
    await Promise.all([...work, ...attempts]);
    await expect(call(principalOf("user", "eve", "acme"), "peer_go", "stolen")).rejects.toMatchObject({
      code: "not_connected",
    });

    expect(upstream.crossed).toEqual([]);
    for (const { token, canary } of upstream.seen) {
      expect(token).toMatch(/^token-of-/);
      expect(canary).not.toBe("stolen");
      if (typeof canary === "string") expect(token).toContain(`token-of-${canary.split("/")[0]}-`);
    }
    expect(accepted).toHaveLength(people.length * rounds * 2);
  },
);
