import { describe, expect, test } from "vitest";
import type { Principal } from "../../../src/model/principal.ts";
import { createModernHome } from "../../../src/server/mcp/modern-home.ts";
import { isSameCaller, keyOfCaller } from "../../../src/server/mcp/same-caller.ts";
import { principalOf } from "../../principals.ts";

const by = (credential: Principal["credential"], more: Partial<Principal> = {}): Principal =>
  principalOf("user", "ada", "default", { credential, ...more });

/** Each is another caller than all others. */
const callers: readonly Principal[] = [
  by(undefined),
  by({ kind: "grant", id: "1" }),
  by({ kind: "grant", id: "2" }),
  by({ kind: "token", id: "1" }),
  by({ kind: "jwt", id: "1" }),
  by({ kind: "session", id: "1" }),
  by({ kind: "grant", id: "1" }, { tenant: "acme" }),
  by({ kind: "grant", id: "1" }, { id: "bob" }),
];

describe("two callers", () => {
  test("are the same by principal and credential", () => {
    for (const one of callers)
      for (const other of callers) expect(isSameCaller(one, other)).toBe(one === other);
    expect(new Set(callers.map(keyOfCaller)).size).toBe(callers.length);
  });

  test("of versions without sessions never share what belongs to a client at upstreams", () => {
    expect(new Set(callers.map((caller) => createModernHome(caller, {}).key)).size).toBe(callers.length);
  });

  test("stay the same whatever they may do and are called", () => {
    const [, grant] = callers;
    const later = by({ kind: "grant", id: "1" }, { name: "Ada", roles: ["admin"], scopes: ["read:*"] });
    expect(grant !== undefined && isSameCaller(grant, later)).toBe(true);
    expect(keyOfCaller(later)).toBe(grant && keyOfCaller(grant));
  });
});
