import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredCredential } from "../../src/credentials/credential-store.ts";
import type { CredentialRefusal } from "../../src/model/credential.ts";
import { type Keeping, openKeeping } from "./keeping.ts";
import { accessTokenOf, referenceOf } from "./refreshing.ts";

const unauthorized: CredentialRefusal = { status: 401, challenge: 'Bearer error="invalid_token"' };
let keeping: Keeping;
beforeEach(async () => {
  keeping = await openKeeping();
});
afterEach(() => keeping.close());

function renew(
  user: string,
  version: number | undefined,
  refusal = unauthorized,
): Promise<StoredCredential | undefined> {
  return keeping.keeper.renew(referenceOf(user), version ?? 0, refusal, AbortSignal.timeout(20_000));
}

function denied(scope: string): CredentialRefusal {
  return { status: 403, challenge: `Basic realm=x, Bearer error="insufficient_scope", scope="${scope}"` };
}

describe("a refused access token with a refresh token", () => {
  test("is refreshed once, for all who were refused", async () => {
    const { version } = await keeping.connect("ada");
    const all = await Promise.all(Array.from({ length: 20 }, () => renew("ada", version)));
    expect(new Set(all.map((credential) => credential?.version))).toEqual(new Set([version + 1]));
    expect(keeping.issuer.userOf(accessTokenOf(all[0]))).toBe("ada");
    // One that was refused late, and hears of it after the others.
    expect((await renew("ada", version))?.version).toBe(version + 1);
    expect(keeping.issuer.counts).toMatchObject({ requests: 1, reuses: 0 });
  });

  test("is refreshed once by two processes", async () => {
    const { version } = await keeping.connect("ada");
    const { keeper } = await keeping.another();
    const both = [keeping.keeper, keeper].map((each) =>
      each.renew(referenceOf("ada"), version, unauthorized, AbortSignal.timeout(20_000)),
    );
    const versions = (await Promise.all(both)).map((credential) => credential?.version);
    expect(versions).toEqual([version + 1, version + 1]);
    expect(keeping.issuer.counts).toMatchObject({ requests: 1, reuses: 0 });
  });

  test("has to be connected again when the new one is refused too, and not just for a moment", async () => {
    const { version } = await keeping.connect("ada");
    const renewed = await renew("ada", version);
    // An upstream that refuses everybody for a moment costs nobody a grant.
    for (let count = 0; count < 20; count += 1) expect(await renew("ada", renewed?.version)).toBeUndefined();
    keeping.now += 3_000;
    expect(await renew("ada", renewed?.version)).toBeUndefined();
    keeping.now += 3_000;
    await expect(renew("ada", renewed?.version)).rejects.toMatchObject({
      code: "reconnect_required",
      details: { provider: "tracker", connection: "main", instance: "default" },
    });
    await expect(keeping.obtain("ada")).rejects.toMatchObject({ code: "reconnect_required" });
    expect(keeping.issuer.counts.requests).toBe(1);
    expect(keeping.changes.map(({ kind }) => kind)).toEqual(["refreshed", "reconnect_required"]);
  });

  test("is refreshed again when the new one was taken meanwhile", async () => {
    const { version } = await keeping.connect("ada");
    for (const step of [1, 2, 3, 4, 5]) {
      expect((await renew("ada", version + step - 1))?.version).toBe(version + step);
      keeping.keeper.accepted(referenceOf("ada"));
    }
    expect(keeping.issuer.counts).toMatchObject({ requests: 5, reuses: 0 });
  });

  test("is refreshed again when the new one had time to end, but not for ever", async () => {
    const { version } = await keeping.connect("ada");
    expect((await renew("ada", version))?.version).toBe(version + 1);
    keeping.now += 600_000;
    expect((await renew("ada", version + 1))?.version).toBe(version + 2);
    keeping.now += 600_000;
    await expect(renew("ada", version + 2)).rejects.toMatchObject({ code: "reconnect_required" });
  });

  test("two processes that are always refused come to an end", async () => {
    let { version } = await keeping.connect("ada");
    const { keeper } = await keeping.another();
    const turns = async (): Promise<void> => {
      for (;;) {
        for (const each of [keeping.keeper, keeper]) {
          const renewed = await each.renew(
            referenceOf("ada"),
            version,
            unauthorized,
            AbortSignal.timeout(20_000),
          );
          version = renewed?.version ?? 0;
        }
      }
    };
    await expect(turns()).rejects.toMatchObject({ code: "reconnect_required" });
    expect(keeping.issuer.counts.requests).toBeLessThanOrEqual(4);
  });

  test("can't be told to be bad while the token endpoint is away", async () => {
    const { version } = await keeping.connect("ada");
    keeping.issuer.next({ kind: "status", status: 503 });
    for (const requests of [1, 1]) {
      await expect(renew("ada", version)).rejects.toMatchObject({ code: "upstream_failed", retryable: true });
      expect(keeping.issuer.counts.requests).toBe(requests);
    }
    expect((await keeping.stored("ada"))?.state).toEqual({ kind: "ready" });
    keeping.now += 60_000;
    expect((await renew("ada", version))?.version).toBe(version + 1);
  });

  test("has to be connected again when the refresh token is refused", async () => {
    const { version } = await keeping.connect("ada");
    keeping.issuer.withdraw("ada");
    await expect(renew("ada", version)).rejects.toMatchObject({ code: "reconnect_required" });
    expect((await keeping.stored("ada"))?.version).toBe(version);
  });

  test("that is gone has no other", async () => {
    const stored = await keeping.connect("ada");
    await keeping.credentials.remove(stored);
    expect(await renew("ada", stored.version)).toBeUndefined();
  });

  test("of an earlier grant is replaced by that of the new one, whatever its version", async () => {
    await keeping.credentials.remove(await keeping.connect("ada"));
    const anew = await keeping.connect("ada");
    expect(accessTokenOf(await renew("ada", anew.version + 7))).toBe(accessTokenOf(anew));
    expect(keeping.issuer.counts.requests).toBe(0);
  });
});

describe("a refused credential without a refresh token", () => {
  test("stands until it is refused three times in a row", async () => {
    const { secrets } = await keeping.connect("ada");
    const access = secrets["access_token"];
    if (access === undefined) throw new Error("There is no token.");
    const facts = {
      type: "bearer",
      secrets: { token: access },
      oauth: undefined,
      expiresAt: undefined,
    } as const;
    const { version } = await keeping.connect("ada", facts);
    const later = (): void => {
      keeping.now += 3_000;
    };
    // However many are refused at one moment: that may pass.
    const atOnce = Array.from({ length: 50 }, () => renew("ada", version));
    expect(new Set(await Promise.all(atOnce))).toEqual(new Set([undefined]));
    later();
    expect(await renew("ada", version)).toBeUndefined();
    keeping.keeper.accepted(referenceOf("ada"));
    expect(await renew("ada", version)).toBeUndefined();
    later();
    expect(await renew("ada", version)).toBeUndefined();
    keeping.keeper.accepted(referenceOf("bob"));
    later();
    await expect(renew("ada", version)).rejects.toMatchObject({ code: "reconnect_required" });
    expect((await keeping.stored("ada"))?.state).toMatchObject({
      reason: expect.stringContaining("3 times"),
    });
    expect(keeping.issuer.counts.requests).toBe(0);
    // Connected again, it is good again.
    keeping.now += 1;
    const anew = await keeping.connect("ada", facts);
    expect(anew.state).toEqual({ kind: "ready" });
    expect(await renew("ada", anew.version)).toBeUndefined();
  });
});

describe("a call that is denied", () => {
  test("for want of scopes asks for them at the next authorization", async () => {
    const { version } = await keeping.connect("ada");
    await expect(renew("ada", version, denied("read write"))).rejects.toMatchObject({
      code: "reconnect_required",
      message: expect.stringContaining("read write"),
    });
    const left = await keeping.stored("ada");
    expect(left?.state).toEqual({ kind: "ready", wanted: ["read", "write"] });
    // What needs no more goes on.
    expect((await keeping.obtain("ada"))?.version).toBe(version);
    expect(left?.version).toBe(version);
    expect(keeping.issuer.counts.requests).toBe(0);
  });

  test("for want of scopes still wants them after a refresh that was under way", async () => {
    const { version } = await keeping.connect("ada");
    keeping.around.after = async () => {
      await expect(renew("ada", version, denied("write"))).rejects.toMatchObject({
        code: "reconnect_required",
      });
    };
    expect((await renew("ada", version))?.version).toBe(version + 1);
    const left = await keeping.stored("ada");
    expect(left?.version).toBe(version + 1);
    expect(left?.state).toMatchObject({ wanted: ["write"] });
    expect(keeping.issuer.isCurrent(left?.secrets["refresh_token"]?.reveal() ?? "")).toBe(true);
  });

  test.each([
    ["for another reason", { status: 403, challenge: 'Bearer error="invalid_request"' }],
    ["without a reason", { status: 403, challenge: undefined }],
    ["for scopes that it has", denied("read")],
    ["for scopes that nobody names", denied("")],
  ] as const)("%s stands", async (_what, refusal) => {
    const { version } = await keeping.connect("ada");
    for (let count = 0; count < 5; count += 1) expect(await renew("ada", version, refusal)).toBeUndefined();
    expect((await keeping.stored("ada"))?.state).toEqual({ kind: "ready" });
    expect(keeping.issuer.counts.requests).toBe(0);
  });

  test("with what somebody typed in stands", async () => {
    const { version } = await keeping.connect("ada", { type: "bearer", oauth: undefined });
    expect(await renew("ada", version, denied("write"))).toBeUndefined();
    expect((await keeping.stored("ada"))?.state).toEqual({ kind: "ready" });
  });
});
