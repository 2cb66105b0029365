import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createPeer, openProvider, textOf, until } from "./open-provider.ts";

const fixture = fileURLToPath(new URL("stdio-fixture.ts", import.meta.url));

function command(mode: string): [string, ...string[]] {
  return [process.execPath, fixture, mode];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pidsOf(provider: Awaited<ReturnType<typeof openProvider>>): Promise<number[]> {
  return JSON.parse(String(textOf(await provider.call("pids"))));
}

test("a local command is listed and called; its errors go to the log", async () => {
  const provider = await openProvider(command("plain"));
  expect(provider.names()).toEqual(["pids", "environment", "die", "envelope", "stray"]);
  expect((await provider.call("pids")).isError).toBe(false);
  await until(() => provider.logged.some((line) => line.includes("started")));
  expect(provider.logged[0]).toContain("Provider peer (mcp): started");
});

test("it inherits no more than it needs", async () => {
  process.env["GATEWAY_TEST_SECRET"] = "s3cret";
  try {
    const provider = await openProvider(command("plain"));
    const names: string[] = JSON.parse(String(textOf(await provider.call("environment"))));
    expect(names).toContain("PATH");
    expect(
      names.filter((name) => !["PATH", "HOME", "LANG", "TMPDIR"].includes(name) && !name.startsWith("__")),
    ).toEqual([]);
  } finally {
    delete process.env["GATEWAY_TEST_SECRET"];
  }
});

test.each(["modern", "strict"])(
  "a %s server without the handshake is recognized by its refusal",
  async (mode) => {
    const provider = await openProvider(command(mode));
    const meta = JSON.parse(String(textOf(await provider.call("envelope"))));
    expect(meta["io.modelcontextprotocol/protocolVersion"]).toBe("2026-07-28");
  },
);

test("a server that refuses the handshake for another reason is heard with that", async () => {
  await expect(openProvider(command("refusing"))).rejects.toMatchObject({
    message: expect.stringContaining("I don't like you"),
  });
});

test("a version that is not known is named", async () => {
  await expect(openProvider(command("future"))).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("2031-01-01"),
  });
});

test("what is no message on its output is logged and skipped", async () => {
  const provider = await openProvider(command("banner"));
  expect(provider.logged.some((line) => line.includes("Welcome to the server!"))).toBe(true);
});

test("stray and second answers are dropped, and a question outside the protocol is refused", async () => {
  const provider = await openProvider(command("plain"));
  expect(textOf(await provider.call("stray"))).toContain("progressToken");
  expect((await provider.call("pids")).isError).toBe(false);
});

test("a command that ends before it speaks is told of without a word about calls", async () => {
  const quits: [string, ...string[]] = [process.execPath, "-e", "process.exit(1)"];
  const failure = {
    code: "provider_unavailable",
    message: expect.stringMatching(/ ended \(exit code 1\)\.$/),
  };
  await expect(openProvider(quits)).rejects.toMatchObject(failure);
});

test("a call in flight fails clearly when the command ends, and the command is started again", async () => {
  const provider = await openProvider(command("plain"));
  await expect(provider.call("die")).rejects.toMatchObject({
    code: "upstream_failed",
    message: expect.stringContaining("(exit code 3). Whether the call was carried out is not known."),
  });
  // A command that ends is not started again at once.
  await until(() =>
    provider.call("pids").then(
      ({ isError }) => !isError,
      () => false,
    ),
  );
});

test("killed with SIGKILL it comes back, and what it had started is gone", async () => {
  const provider = await openProvider(command("parent"), { isBrief: true });
  const seen = new Set<number>();
  for (let round = 0; round < 3; round++) {
    const known = provider.changes.filter(({ kind }) => kind === "operations").length;
    const [server = 0, child = 0] = await pidsOf(provider);
    seen.add(server).add(child);
    process.kill(server, "SIGKILL");
    await until(() => provider.changes.filter(({ kind }) => kind === "operations").length > known);
  }
  const current = await pidsOf(provider);
  expect([...seen].some((pid) => current.includes(pid))).toBe(false);
  await provider.surface.close();
  await until(() => [...seen, ...current].every((pid) => !isAlive(pid)));
});

test("an answer that is too large ends its own call only", async () => {
  const provider = await openProvider(command("wild"));
  const other = provider.call("later");
  await expect(provider.call("big")).rejects.toMatchObject({ code: "answer_too_large" });
  const another = provider.call("later").catch(() => undefined);
  expect(textOf(await other)).toBe("later");
  await provider.surface.close();
  await another;
});

test("what a command asks reaches nobody: it can't be told whose call it is for", async () => {
  const provider = await openProvider(command("wild"));
  const client = createPeer(() => ({ action: "accept" }), { elicitation: {} });
  await provider.call("ask", {}, { peer: client.peer });
  expect(client.asked).toEqual([]);
  await until(() => provider.logged.some((line) => line.includes("answered")));
  expect(provider.logged.join()).toContain("-32601");
});

test("a command that does not read is not sent more and more", async () => {
  const provider = await openProvider(command("deaf"), { isBrief: true });
  const text = "x".repeat(1024 * 1024);
  const refused: unknown[] = [];
  for (let index = 0; index < 16; index++) {
    const caller = new AbortController();
    const call = provider.call("later", { text }, { signal: caller.signal });
    setImmediate(() => caller.abort());
    await call.catch((error: unknown) => refused.push(error));
  }
  expect(refused.at(0)).toMatchObject({ code: "cancelled" });
  expect(refused.at(-1)).toMatchObject({
    code: "upstream_failed",
    retryable: true,
    message: expect.stringContaining("no longer reads"),
  });
});

test("what it started is gone also when the gateway's process is ended at once", async () => {
  const script = fileURLToPath(new URL("open-and-exit.ts", import.meta.url));
  const gateway = spawn(process.execPath, [script, process.execPath, fixture, "parent"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  gateway.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  await new Promise((resolve) => gateway.once("close", resolve));
  const pids: number[] = JSON.parse(output);
  expect(pids).toHaveLength(2);
  await until(() => pids.every((pid) => !isAlive(pid)));
});

test("closing ends a command that does not want to", async () => {
  const provider = await openProvider(command("stubborn"));
  const [server = 0] = await pidsOf(provider);
  await provider.surface.close();
  await until(() => !isAlive(server));
});

test("a command that does not exist is named", async () => {
  await expect(openProvider(["no-such-command-here"])).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("`no-such-command-here` was not found"),
  });
});
