import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type LoginOptions, login, logout } from "../../src/cli/login.ts";
import { listSessions, revokeSession } from "../../src/cli/sessions.ts";
import { createTenant, listTenants, removeTenant, updateTenant } from "../../src/cli/tenants.ts";
import { createToken, listTokens, revokeToken, rotateToken } from "../../src/cli/tokens.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { changePassword, createUser, listUsers, removeUser, setUserDisabled } from "../../src/cli/users.ts";
import { whoami } from "../../src/cli/whoami.ts";
import { recordingConsole } from "./recording-console.ts";
import { type RunningGateway, runGateway } from "./running-gateway.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, type Outcome, outcomeOf, type TestWorkplace } from "./workplace.ts";

const password = "correct horse battery";
const noDetails = { displayName: undefined, roles: [], actsFor: [], passwordStdin: true };
const noNarrowing = { scopes: [], readOnly: false, service: false, user: undefined, roles: [], actsFor: [] };

let workplace: TestWorkplace;
let gateway: RunningGateway;
let sessionsFile: string;
beforeEach(async () => {
  workplace = await makeWorkplace();
  sessionsFile = join(workplace.folder, "home", "gestalt-gateway", "sessions.json");
  // The first user comes from the command line beside the file: an operator.
  const prompt = scriptedPrompt({ input: password });
  await createUser("ada", { ...workplace.place(), ...noDetails }, recordingConsole(), prompt);
  gateway = await runGateway(workplace.config);
});
afterEach(async () => {
  await gateway.stop();
  await workplace.remove();
});

function loginOptions(more: Partial<LoginOptions> = {}): LoginOptions & { readonly passwordStdin: boolean } {
  return { server: gateway.url, insecure: false, json: false, passwordStdin: true, ...more };
}

function signIn(name: string | undefined, input = password): Promise<Outcome> {
  return outcomeOf((console) => login(name, loginOptions(), console, scriptedPrompt({ input })));
}

/** The options of a command at the server. */
function there(more: object = {}) {
  return workplace.place({ config: undefined, server: gateway.url, json: true, ...more });
}

describe("signing in", () => {
  test("keeps the session, so that commands know who calls", async () => {
    const { status, told } = await signIn("ada");
    expect(status).toBe(0);
    expect(told.join()).toMatch(
      /^Signed in at http:\/\/127\.0\.0\.1:\d+ as ada, tenant `default` until .+Z at the latest\.$/,
    );
    const { session } = Object.values(JSON.parse(await readFile(sessionsFile, "utf8")))[0] as {
      readonly session: string;
    };
    expect(session).toMatch(/^[\w-]{43}$/);
    expect(told.join()).not.toContain(session);
    if (process.platform !== "win32") expect((await stat(sessionsFile)).mode & 0o777).toBe(0o600);
    const me = await outcomeOf((console) => whoami(there(), console));
    expect(me.json()).toMatchObject({
      kind: "user",
      name: "ada",
      tenant: "default",
      roles: ["operator"],
      credential: { kind: "session" },
    });
  });

  test("remembers the name for the next time", async () => {
    await signIn("ada");
    expect((await signIn(undefined)).told.join()).toContain("as ada");
  });

  test("needs a name the first time, and a gateway", async () => {
    await expect(signIn(undefined)).rejects.toThrow(UsageError);
    const nowhere = { ...loginOptions(), server: undefined };
    await expect(login("ada", nowhere, recordingConsole(), scriptedPrompt({}))).rejects.toThrow(UsageError);
  });

  test("with a wrong password keeps nothing", async () => {
    await expect(signIn("ada", "wrong horse battery")).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(stat(sessionsFile)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("never sends a password unencrypted to another machine", async () => {
    const options = loginOptions({ server: "http://gw.example.com" });
    const prompt = scriptedPrompt({ answers: [password] });
    await expect(login("ada", options, recordingConsole(), prompt)).rejects.toThrow("--insecure");
    expect(prompt.questions).toEqual([]);
  });
});

describe("signing out", () => {
  test("ends the session at the gateway and forgets it here", async () => {
    await signIn("ada");
    const before = await readFile(sessionsFile, "utf8");
    const { session } = Object.values(JSON.parse(before))[0] as { readonly session: string };
    const { status, told } = await outcomeOf((console) =>
      logout(loginOptions({ server: undefined }), console),
    );
    expect(status).toBe(0);
    expect(told).toEqual([`Signed out of ${gateway.url.replace(/\/$/, "")}.`]);
    expect(JSON.parse(await readFile(sessionsFile, "utf8"))).toEqual({});
    const answer = await fetch(new URL("/api/v1/auth/session", gateway.url), {
      headers: { cookie: `__Host-gateway-session=${session}` },
    });
    expect(answer.status).toBe(401);
  });

  test("forgets it also when the gateway is away, and says so", async () => {
    await signIn("ada");
    await gateway.stop();
    const { status, told } = await outcomeOf((console) => logout(loginOptions(), console));
    expect(status).toBe(1);
    expect(told.join(" ")).toMatch(/Nothing listens .* forgotten here/);
    expect(JSON.parse(await readFile(sessionsFile, "utf8"))).toEqual({});
    gateway = await runGateway(workplace.config);
  });

  test("of nothing is no failure", async () => {
    const { status, told } = await outcomeOf((console) =>
      logout(loginOptions({ server: undefined }), console),
    );
    expect(status).toBe(0);
    expect(told).toEqual(["You are signed in nowhere."]);
  });

  test("somewhere among several has to be said where", async () => {
    await signIn("ada");
    const other = await runGateway(workplace.config);
    try {
      const options = loginOptions({ server: other.url });
      await login(
        "ada",
        { ...options, passwordStdin: true },
        recordingConsole(),
        scriptedPrompt({ input: password }),
      );
      await expect(logout(loginOptions({ server: undefined }), recordingConsole())).rejects.toThrow(
        UsageError,
      );
    } finally {
      await other.stop();
    }
  });
});

describe("commands at a gateway that runs", () => {
  test("say how to sign in", async () => {
    await expect(listUsers(there(), recordingConsole())).rejects.toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining("gateway login --server"),
    });
  });

  test("tell that a session has ended", async () => {
    await signIn("ada");
    const [{ id }] = (await outcomeOf((console) => listSessions(there(), console))).json();
    // It ends itself, which it may.
    await outcomeOf((console) => revokeSession(id, there(), console));
    await expect(listUsers(there(), recordingConsole())).rejects.toMatchObject({
      message: expect.stringMatching(/Your session .* has ended/),
    });
  });

  test("administer users", async () => {
    await signIn("ada");
    const prompt = scriptedPrompt({ input: password });
    const bob = { ...there(), ...noDetails, displayName: "Bob", roles: ["support"] };
    const created = await outcomeOf((console) => createUser("bob", bob, console, prompt));
    expect(created.json()).toMatchObject({ name: "bob", display_name: "Bob", roles: ["support"] });
    expect((await outcomeOf((console) => listUsers(there(), console))).json()).toHaveLength(2);
    const disabled = await outcomeOf((console) => setUserDisabled("bob", true, there(), console));
    expect(disabled.json()).toMatchObject({ disabled: true });
    await outcomeOf((console) => removeUser("bob", there(), console));
    await expect(removeUser("bob", there(), recordingConsole())).rejects.toMatchObject({ code: "not_found" });
  });

  test("change one's own password with the current one", async () => {
    await signIn("ada");
    const change = (input: string): Promise<Outcome> =>
      outcomeOf((console) =>
        changePassword("ada", { ...there(), passwordStdin: true }, console, scriptedPrompt({ input })),
      );
    await expect(change("wrong horse battery\nanother horse battery")).rejects.toMatchObject({
      name: "GatewayError",
    });
    expect((await change(`${password}\nanother horse battery\n`)).status).toBe(0);
    expect((await signIn("ada", "another horse battery")).status).toBe(0);
  });

  test("administer tokens, and call with one", async () => {
    await signIn("ada");
    const details = { ...there(), ...noNarrowing, expires: "12h" };
    const { id, token } = (await outcomeOf((console) => createToken("mine", details, console))).json();
    const listed = (await outcomeOf((console) => listTokens(there(), console))).json();
    expect(listed).toMatchObject([{ id, name: "mine", user: "ada" }]);
    const rotated = (await outcomeOf((console) => rotateToken(id, there(), console))).json();
    expect(rotated.token).not.toBe(token);

    vi.stubEnv("GATEWAY_TOKEN", rotated.token);
    const me = await outcomeOf((console) => whoami(there(), console));
    expect(me.json()).toMatchObject({ name: "ada", credential: { kind: "token", id } });
    vi.stubEnv("GATEWAY_TOKEN", token);
    await expect(whoami(there(), recordingConsole())).rejects.toMatchObject({
      message: expect.stringContaining("refuses the token in the variable GATEWAY_TOKEN"),
    });
    vi.stubEnv("GATEWAY_TOKEN", `${token}\r\nx: y`);
    const refused = await whoami(there(), recordingConsole()).catch((error: unknown) => String(error));
    expect(refused).toContain("GATEWAY_TOKEN holds no API token");
    expect(refused).not.toContain(token);
    vi.stubEnv("GATEWAY_TOKEN", undefined);

    await outcomeOf((console) => revokeToken(id, there(), console));
    expect((await outcomeOf((console) => listTokens(there(), console))).json()).toEqual([]);
  });

  test("administer tenants, and act for them", async () => {
    await signIn("ada");
    const nothing = { displayName: undefined, exposure: undefined, providers: [], tools: [] };
    const globex = { ...there(), ...nothing, tools: ["shop_list"] };
    const created = await outcomeOf((console) => createTenant("globex", globex, console));
    expect(created.json()).toMatchObject({ id: "globex", exposure: "selected", tools: ["shop_list"] });
    const updated = await outcomeOf((console) =>
      updateTenant("globex", { ...there(), ...nothing, providers: ["shop"] }, console),
    );
    expect(updated.json()).toMatchObject({ providers: ["shop"], tools: ["shop_list"] });
    const listed = (await outcomeOf((console) => listTenants(there(), console))).json();
    expect(listed.map(({ id }: { readonly id: string }) => id)).toEqual(["acme", "default", "globex"]);
    const me = await outcomeOf((console) => whoami(there({ tenant: "globex" }), console));
    expect(me.json()).toMatchObject({ tenant: "globex", home: "default" });
    const yes = { ...there(), yes: true };
    await outcomeOf((console) => removeTenant("globex", yes, console, scriptedPrompt({})));
    await expect(whoami(there({ tenant: "globex" }), recordingConsole())).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test("take the server from the environment, unless a file is named", async () => {
    await signIn("ada");
    vi.stubEnv("GATEWAY_SERVER", gateway.url);
    const me = await outcomeOf((console) => whoami(there({ server: undefined }), console));
    expect(me.json()).toMatchObject({ kind: "user" });
    const operator = await outcomeOf((console) => whoami(workplace.place({ json: true }), console));
    expect(operator.json()).toMatchObject({ kind: "operator", tenant: "default" });
  });

  test("print for people", async () => {
    await signIn("ada");
    const me = await outcomeOf((console) => whoami(there({ json: false }), console));
    expect(me.printed.slice(0, 4).map((line) => line.split(/ {2,}/))).toEqual([
      ["name", "ada"],
      ["kind", "user"],
      ["tenant", "default"],
      ["roles", "operator"],
    ]);
    const sessions = await outcomeOf((console) => listSessions(there({ json: false }), console));
    expect(sessions.printed[1]).toMatch(/\(this one\) +ada .*gestalt-gateway\//);
  });
});
