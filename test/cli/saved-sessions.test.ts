import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  readSessions,
  type SavedSession,
  sessionsFile,
  writeSessions,
} from "../../src/cli/saved-sessions.ts";
import { Secret } from "../../src/secret.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-sessions-"));
  file = join(folder, "home", "gestalt-gateway", "sessions.json");
});
afterEach(() => rm(folder, { recursive: true }));

function session(text: string, endsAt?: number): SavedSession {
  return { server: "https://gw.example.com/", session: new Secret(text), name: "ada", endsAt };
}

describe("the file of sessions", () => {
  test("is read as it was written", async () => {
    const later = Date.now() + 60_000;
    const written = new Map([
      ["https://gw.example.com", session("one", later)],
      ["http://localhost:8080", session("two")],
    ]);
    await writeSessions(file, written);
    const read = await readSessions(file);
    expect([...read.keys()]).toEqual([...written.keys()]);
    expect(read.get("https://gw.example.com")?.session.reveal()).toBe("one");
    expect(read.get("https://gw.example.com")?.endsAt).toBe(later);
    expect(read.get("http://localhost:8080")?.endsAt).toBeUndefined();
  });

  test.skipIf(process.platform === "win32")("is for its user alone, and so is its folder", async () => {
    await mkdir(dirname(file), { recursive: true });
    await chmod(dirname(file), 0o755);
    await writeFile(file, "{}", { mode: 0o644 });
    await writeSessions(file, new Map([["https://gw.example.com", session("one")]]));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
  });

  test("is replaced as a whole and leaves no drafts", async () => {
    for (const text of ["one", "two"]) {
      await writeSessions(file, new Map([["https://gw.example.com", session(text)]]));
    }
    expect(await readdir(dirname(file))).toEqual(["sessions.json"]);
    expect(await readFile(file, "utf8")).not.toContain("one");
  });

  test("that is not there has none", async () => {
    expect(await readSessions(file)).toEqual(new Map());
  });

  test("forgets sessions that have ended", async () => {
    await writeSessions(file, new Map([["https://gw.example.com", session("one", Date.now() - 1)]]));
    expect(await readSessions(file)).toEqual(new Map());
  });

  test.each([
    "",
    "[]",
    "{",
    "CANARY",
    '{"https://gw.example.com": "CANARY"}',
    '{"https://gw.example.com": {"server": "x", "session": 1, "name": "CANARY"}}',
    '{"https://gw.example.com": {"server": "x", "session": "CANARY", "name": "ada", "ends_at": "x"}}',
  ])("that is none is refused by its name, not by what is in it: %s", async (text) => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    const error = await readSessions(file).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "bad_request", message: expect.stringContaining(file) });
    expect(String(error)).not.toContain("CANARY");
  });

  test("can't be kept where no folder can be", async () => {
    await writeFile(join(folder, "home"), "a file");
    await expect(writeSessions(file, new Map())).rejects.toMatchObject({ code: "bad_request" });
  });
});

describe("where it is", () => {
  test.each([
    [{ XDG_CONFIG_HOME: "/etc/ada" }, "/etc/ada/gestalt-gateway/sessions.json"],
    [{ XDG_CONFIG_HOME: "relative" }, join(homedir(), ".config/gestalt-gateway/sessions.json")],
    [{ XDG_CONFIG_HOME: "" }, join(homedir(), ".config/gestalt-gateway/sessions.json")],
    [{}, join(homedir(), ".config/gestalt-gateway/sessions.json")],
  ])("with %j", (environment, path) => {
    expect(sessionsFile(environment)).toBe(path);
  });
});
