import { describe, expect, test } from "vitest";
import { createTestSource, reconnectRequired, referenceOf, startGuarded } from "./guarded-upstream.ts";
import { openProvider, textOf, until } from "./open-provider.ts";
import { startSseV1 } from "./peers.ts";

const reference = referenceOf("ada");

describe.each(["legacy", "modern"] as const)("an upstream of the %s era", (era) => {
  async function start() {
    const upstream = await startGuarded(era);
    upstream.tools.set("ada", ["go"]);
    upstream.accounts.set("first", "ada");
    const source = createTestSource(reference, "first");
    source.connectedAt = 1;
    const provider = await openProvider(upstream.url, {
      credential: source,
      owner: reference,
      connection: "main",
    });
    const call = async (canary = "x") =>
      textOf(await provider.call("go", { canary }, { credential: source.credential() }));
    // Calls have a session of their own, which is open from here on.
    await call("opening");
    return { upstream, source, provider, call };
  }

  test("gets the credential as it is at each request", async () => {
    const { upstream, source, call } = await start();
    expect(await call("a")).toBe("ada a");
    upstream.accounts.set("second", "ada");
    upstream.accounts.delete("first");
    source.token = "second";
    expect(await call("b")).toBe("ada b");
    expect(source.renewed).toEqual([]);
    expect(upstream.seen.findLast(({ method }) => method === "tools/call")?.token).toBe("second");
  });

  test("that refuses a credential gets the request once more with another one, in the same session", async () => {
    const { upstream, source, call } = await start();
    upstream.accounts.delete("first");
    upstream.accounts.set("second", "ada");
    source.renewal = () => "second";
    expect(await call("a")).toBe("ada a");
    expect(source.renewed).toEqual([{ status: 401, challenge: 'Bearer error="invalid_token"' }]);
    expect(upstream.seen.filter(({ canary }) => canary === "a").map(({ token }) => token)).toEqual([
      "first",
      "second",
    ]);
    expect(upstream.count("initialize")).toBe(era === "legacy" ? 2 : 0);
  });

  test("that refuses the other one as well is not asked again and again", async () => {
    const { upstream, source, call } = await start();
    upstream.accounts.clear();
    source.renewal = () => "second";
    await expect(call("a")).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("401"),
    });
    expect(upstream.seen.filter(({ canary }) => canary === "a")).toHaveLength(2);
  });

  test("whose refusal stands, where there is no other credential", async () => {
    const { upstream, call } = await start();
    upstream.accounts.clear();
    await expect(call("a")).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("401"),
    });
    expect(upstream.seen.filter(({ canary }) => canary === "a")).toHaveLength(1);
  });

  test("that wants more scopes is told apart from one that forbids", async () => {
    const { upstream, source, call } = await start();
    let challenge = 'Bearer error="insufficient_scope", scope="write"';
    upstream.refusal = ({ method, token }, response) => {
      if (method !== "tools/call" || token === "wider") return false;
      response.writeHead(403, { "www-authenticate": challenge }).end();
      return true;
    };
    upstream.accounts.set("wider", "ada");
    source.renewal = () => "wider";
    expect(await call("a")).toBe("ada a");
    expect(source.renewed).toEqual([{ status: 403, challenge }]);
    source.token = "first";
    challenge = 'Bearer error="access_denied"';
    await expect(call("b")).rejects.toMatchObject({ code: "upstream_failed" });
    expect(source.renewed).toHaveLength(1);
  });

  test("whose caller has to connect again learns that, with the way to it", async () => {
    const { upstream, source, call } = await start();
    upstream.accounts.clear();
    source.renewal = () => {
      throw reconnectRequired;
    };
    await expect(call("a")).rejects.toBe(reconnectRequired);
  });

  test("many refusals at once: each request is sent twice at most, and all succeed", async () => {
    const { upstream, source, call } = await start();
    upstream.accounts.delete("first");
    upstream.accounts.set("second", "ada");
    source.renewal = () => "second";
    const canaries = Array.from({ length: 200 }, (_none, index) => `c${index}`);
    expect(await Promise.all(canaries.map(call))).toEqual(canaries.map((canary) => `ada ${canary}`));
    for (const canary of canaries) {
      expect(upstream.seen.filter((seen) => seen.canary === canary).length).toBeLessThanOrEqual(2);
    }
  });

  test("that repeats a token is not quoted, whichever token it was", async () => {
    const { upstream, source, call } = await start();
    source.token = "second-secret-token";
    upstream.refusal = ({ method, token }, response) => {
      if (method !== "tools/call") return false;
      response.writeHead(400, { "content-type": "application/json" });
      const error = { code: -32000, message: `bad ${token} after first` };
      response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
      return true;
    };
    const failure = await call("a").catch((error: unknown) => error);
    expect(String(failure)).toContain("[secret]");
    expect(String(failure)).not.toContain("second-secret-token");
    expect(String(failure)).not.toContain("first");
  });

  test("is not sent another account's requests in a session that was begun before", async () => {
    const { upstream, source, call } = await start();
    await call("a");
    const before = upstream.count("tools/call");
    upstream.accounts.set("second", "bob");
    upstream.tools.set("bob", ["go", "more"]);
    source.token = "second";
    source.connectedAt = 2;
    expect(await call("b")).toBe("bob b");
    expect(upstream.crossed).toEqual([]);
    expect(upstream.count("tools/call")).toBe(before + 1);
  });

  test("with a place in its address gets what the connection says", async () => {
    const upstream = await startGuarded(era);
    upstream.tools.set("ada", ["go"]);
    upstream.accounts.set("first", "ada");
    const source = createTestSource(reference, "first");
    source.params = { team: "a b" };
    const provider = await openProvider(upstream.url.replace("/mcp", "/teams/{team}/mcp"), {
      credential: source,
      owner: reference,
    });
    await provider.call("go", {}, { credential: source.credential() });
    expect(new Set(upstream.seen.map(({ path }) => path))).toEqual(new Set(["/teams/a%20b/mcp"]));
  });
});

test("a session belongs to one credential: no other one gets in", async () => {
  const upstream = await startGuarded("legacy");
  upstream.tools.set("ada", ["go"]);
  upstream.accounts.set("first", "ada");
  const source = createTestSource(reference, "first");
  const provider = await openProvider(upstream.url, { credential: source, owner: reference });
  for (const other of [
    referenceOf("bob"),
    referenceOf("ada", { tenant: "acme" }),
    referenceOf("ada", { instance: "second" }),
    referenceOf("ada", { connection: "other" }),
    referenceOf("ada", { owner: { kind: "tenant", id: "ada" } }),
    undefined,
  ]) {
    const credential = { reference: other, headers: {}, query: {} };
    await expect(provider.call("go", {}, { credential })).rejects.toMatchObject({ code: "unsupported" });
  }
  expect(upstream.count("tools/call")).toBe(0);
});

test("the older transport asks for the credential at each request too", async () => {
  const peer = await startSseV1();
  const source = createTestSource(reference, "first");
  const provider = await openProvider(peer.url, { credential: source, owner: reference });
  await provider.call("echo", { text: "a" }, { credential: source.credential() });
  source.token = "second";
  await provider.call("echo", { text: "a" }, { credential: source.credential() });
  const sent = peer.requests.map(({ headers }) => headers["authorization"]);
  expect(new Set(sent.slice(0, -1))).toEqual(new Set(["Bearer first"]));
  expect(sent.at(-1)).toBe("Bearer second");
  await provider.surface.close();
  await peer.close();
});

test("the older transport takes no credential to a host that it was not opened at", async () => {
  const peer = await startSseV1();
  const source = createTestSource(reference, "first");
  const url = `http://{host}:${peer.port}/mcp`;
  source.params = { host: "localhost" };
  const provider = await openProvider(url, { credential: source, owner: reference });
  const before = peer.requests.length;
  source.params = { host: "elsewhere" };
  await expect(
    provider.call("echo", { text: "a" }, { credential: source.credential() }),
  ).rejects.toMatchObject({ code: "provider_unavailable" });
  expect(peer.requests).toHaveLength(before);
  await provider.surface.close();
  await peer.close();
});

test("the stream for what the server says unasked is opened again with the credential as it is then", async () => {
  const upstream = await startGuarded("legacy");
  upstream.tools.set("ada", ["go"]);
  upstream.accounts.set("first", "ada");
  upstream.accounts.set("second", "ada");
  let broken = false;
  upstream.refusal = ({ verb }, response) => {
    if (verb !== "GET" || broken) return false;
    broken = true;
    response.writeHead(200, { "content-type": "text/event-stream" }).end("retry: 100\nid: 1\ndata:\n\n");
    return true;
  };
  const source = createTestSource(reference, "first");
  await openProvider(upstream.url, { credential: source, owner: reference });
  source.token = "second";
  await until(() => upstream.seen.filter(({ verb }) => verb === "GET").length === 2);
  expect(upstream.seen.findLast(({ verb }) => verb === "GET")?.token).toBe("second");
});
