import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Secret } from "../../src/secret.ts";
import type { Store, TenantStore } from "../../src/store/store.ts";
import { codeOf, cookie, createHarness, hour, minute, password, signedIn, signIn } from "./harness.ts";

describe("sessions end", () => {
  test("after their lifetime, used or not", async () => {
    const harness = await createHarness();
    const { session, milliseconds } = await signedIn(harness, "ada");
    expect(milliseconds).toBe(12 * hour);
    for (let passed = 0; passed < 12 * hour - 1; passed += hour) {
      await harness.identity.authenticate(cookie(session), undefined);
      harness.time += hour;
    }
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
  });

  test("when they are not used for so long", async () => {
    const harness = await createHarness();
    const { session } = await signedIn(harness, "ada");
    harness.time += 2 * hour;
    await harness.identity.authenticate(cookie(session), undefined);
    harness.time += 2 * hour;
    await harness.identity.authenticate(cookie(session), undefined);
    harness.time += 2 * hour + 1;
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    // Refused requests are no use of it.
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    expect(await harness.identity.administration(harness.operator).listSessions()).toEqual([]);
  });

  test("at once when the file shortens them", async () => {
    const harness = await createHarness();
    const { session } = await signedIn(harness, "ada");
    harness.time += 30 * minute;
    harness.settings = {
      ...harness.settings,
      auth: { ...harness.settings.auth, sessionIdleMilliseconds: 20 * minute },
    };
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
    harness.settings = {
      ...harness.settings,
      auth: { ...harness.settings.auth, sessionMilliseconds: 20 * minute, sessionIdleMilliseconds: hour },
    };
    expect(await codeOf(harness.identity.authenticate(cookie(session), undefined))).toBe("unauthenticated");
  });

  test("not while another process sees them used", async () => {
    const harness = await createHarness();
    const { session } = await signedIn(harness, "ada");
    const other = await harness.other();
    harness.time += 90 * minute;
    await other.identity.authenticate(cookie(session), undefined);
    await other.identity.close();
    harness.time += 90 * minute;
    expect((await harness.identity.authenticate(cookie(session), undefined)).name).toBe("ada");
  });

  test("that were begun while the password changed are over before they begin", async () => {
    const harness = await createHarness();
    await signedIn(harness, "ada");
    const admin = harness.identity.administration(harness.operator);
    let change: (() => Promise<unknown>) | undefined = () =>
      admin.updateUser("ada", { password: new Secret("another battery horse") });
    const { identity } = await harness.other({
      derive: async (text, salt, parameters) => {
        const { quickDerive } = await import("./harness.ts");
        const made = await quickDerive(text, salt, parameters);
        const once = change;
        change = undefined;
        await once?.();
        return made;
      },
    });
    expect(await codeOf(signIn(identity, "ada"))).toBe("unauthenticated");
  });

  test("the oldest one beyond twenty", async () => {
    const harness = await createHarness();
    const first = await signedIn(harness, "ada");
    const sessions = [first];
    for (let count = 0; count < 20; count += 1) {
      harness.time += 1_000;
      sessions.push(await signIn(harness.identity, "ada"));
    }
    const states = await Promise.all(
      sessions.map(({ session }) => codeOf(harness.identity.authenticate(cookie(session), undefined))),
    );
    expect(states.map((state) => state === "unauthenticated")).toEqual([true, ...Array(20).fill(false)]);
  });
});

test("every sign-in begins a new session, whatever the browser had", async () => {
  const harness = await createHarness();
  const first = await signedIn(harness, "ada");
  const second = await signIn(harness.identity, "ada");
  expect(second.session.reveal()).toMatch(/^[\w-]{43}$/);
  expect(second.session.equals(first.session)).toBe(false);
  expect(second.principal.credential).not.toEqual(first.principal.credential);
});

test("users see and end their own sessions, and no others", async () => {
  const harness = await createHarness();
  const ada = await signedIn(harness, "ada");
  const eve = await signedIn(harness, "eve");
  await signIn(harness.identity, "ada");
  const own = harness.identity.administration(ada.principal);
  const listed = await own.listSessions();
  expect(listed.map(({ user, client }) => [user, client])).toEqual([
    ["ada", "Browser/1"],
    ["ada", "Browser/1"],
  ]);
  expect(listed.filter(({ current }) => current).map(({ id }) => id)).toEqual([ada.principal.credential?.id]);
  expect(await codeOf(own.revokeSession(eve.principal.credential?.id ?? ""))).toBe("not_found");
  const other = listed.find(({ current }) => !current)?.id ?? "";
  await own.revokeSession(other);
  expect(await own.listSessions()).toHaveLength(1);
  const all = await harness.identity.administration(harness.operator).listSessions();
  expect(all.map(({ user }) => user).sort()).toEqual(["ada", "eve"]);
});

describe("when credentials were last used", () => {
  test("is told at once, and is there after a restart", async () => {
    const harness = await createHarness();
    const { principal } = await signedIn(harness, "ada");
    const own = harness.identity.administration(principal);
    const { secret } = await own.createToken({ name: "laptop" });
    expect((await own.listTokens())[0]?.lastUsedAt).toBeUndefined();
    harness.time += hour;
    await harness.identity.authenticate({ kind: "token", token: secret }, undefined);
    const told = new Date(harness.time).toISOString();
    expect((await own.listTokens())[0]?.lastUsedAt).toBe(told);
    await harness.identity.close();
    const { identity } = await harness.other();
    expect((await identity.administration(principal).listTokens())[0]?.lastUsedAt).toBe(told);
    expect((await identity.administration(harness.operator).listUsers())[0]?.lastUsedAt).toBe(told);
  });

  test("is written once a minute while it goes on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const harness = await createHarness();
    const { session, principal } = await signedIn(harness, "ada");
    const tenant = harness.store.tenant("default");
    const id = `session:${principal.credential?.id}`;
    const versions = new Set<number | undefined>();
    for (let second = 0; second < 300; second += 1) {
      await harness.identity.authenticate(cookie(session), undefined);
      harness.time += 1_000;
      await vi.advanceTimersByTimeAsync(1_000);
      versions.add((await tenant.get("use", id))?.version);
    }
    versions.delete(undefined);
    expect(versions.size).toBeGreaterThanOrEqual(4);
    expect(versions.size).toBeLessThanOrEqual(6);
  });

  test("is written once for many requests, and what fails there fails nobody", async () => {
    let writes = 0;
    const failing = (tenant: TenantStore): TenantStore => ({
      tenant: tenant.tenant,
      get: (...all) => tenant.get(...all),
      list: (...all) => tenant.list(...all),
      acquireLease: (...all) => tenant.acquireLease(...all),
      renewLease: (...all) => tenant.renewLease(...all),
      releaseLease: (...all) => tenant.releaseLease(...all),
      clear: () => tenant.clear(),
      write: async (changes) => {
        if (changes.some(({ kind, action }) => kind === "use" && action === "put")) {
          writes += 1;
          throw new Error("disk full");
        }
        return tenant.write(changes);
      },
    });
    const harness = await createHarness({
      wrap: (store): Store => ({
        gateway: store.gateway,
        tenant: (id) => failing(store.tenant(id)),
        find: (...all) => store.find(...all),
        epoch: (kinds) => store.epoch(kinds),
        tenantsWith: (kind) => store.tenantsWith(kind),
        backup: (file) => store.backup(file),
        close: () => store.close(),
      }),
    });
    const { session } = await signedIn(harness, "ada");
    for (let count = 0; count < 100; count += 1) {
      await harness.identity.authenticate(cookie(session), undefined);
    }
    await harness.identity.close();
    await harness.identity.authenticate(cookie(session), undefined);
    await harness.identity.close();
    expect(writes).toBe(2);
    expect(harness.logged).toHaveLength(1);
    expect(harness.logged[0]).toContain("could not be read or written");
    expect((await signIn(harness.identity, "ada", password)).principal.name).toBe("ada");
  });
});
