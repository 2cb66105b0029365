import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  browserOf,
  clearFlowCookie,
  newFlowSecret,
  readFlowCookie,
  writeFlowCookie,
} from "../../src/server/pages/flow-cookie.ts";

const secret = newFlowSecret();
const pairOf = (cookie = ""): string => cookie.split(";")[0] ?? "";

describe("the cookie of a flow", () => {
  test("comes back with its tenant, for its own state only", () => {
    for (const tenant of [undefined, "acme", "a-1_b"]) {
      const [cookie] = writeFlowCookie("state 1", { secret, tenant }, undefined);
      const header = `other=1; ${pairOf(cookie)}; more`;
      expect(readFlowCookie("state 1", header)).toEqual({ secret, tenant });
      expect(readFlowCookie("state 2", header)).toBeUndefined();
    }
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(browserOf(secret)).not.toContain(secret);
    expect(clearFlowCookie("state 1")).toMatch(
      /^__Host-gateway-flow-[0-9a-f]{16}=; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=0$/,
    );
  });

  test("is nobody's where there are two, or where it is not as it was written", () => {
    const pair = pairOf(writeFlowCookie("s", { secret, tenant: undefined }, undefined)[0]);
    for (const header of [
      `${pair}; ${pair}`,
      `${pair}x`,
      pair.slice(0, -1),
      `${pair}.`,
      `${pair}.ACME`,
      `${pair}.a.b`,
      pair.toLowerCase(),
      pair.replace("__Host-", ""),
      `x${pair}`,
      pair.replace("=", "\u00a0="),
      "",
    ])
      expect([header, readFlowCookie("s", header)]).toEqual([header, undefined]);
    expect(readFlowCookie("s", ` \t${pair} `)).toEqual({ secret, tenant: undefined });
    expect(readFlowCookie("s", undefined)).toBeUndefined();
  });

  test("takes whatever header, and puts nothing of it into the answer but names of its own", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `__Host-gateway-flow-${rest}`),
      fc
        .tuple(fc.stringMatching(/^[0-9a-f]{16}$/), fc.string())
        .map(([name, value]) => `__Host-gateway-flow-${name}=${value}`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.string(), (pieces, state) => {
        for (const cookie of writeFlowCookie(state, { secret, tenant: "acme" }, pieces.join(";")))
          expect(cookie).toMatch(
            /^__Host-gateway-flow-[0-9a-f]{16}=[A-Za-z0-9_.-]*; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=(0|600)$/,
          );
      }),
    );
  });
});
