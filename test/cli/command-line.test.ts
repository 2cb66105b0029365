import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeWorkplace, type TestWorkplace } from "./workplace.ts";

const entry = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace();
});
afterEach(() => workplace.remove());

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The whole command in a process of its own, in the folder of the configuration, with no terminal. */
async function gateway(words: string, input = ""): Promise<Ran> {
  const commandLine = [entry, ...words.split(" ").filter((word) => word !== "")];
  const child = spawn(process.execPath, commandLine, { cwd: workplace.folder, stdio: "pipe" });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

describe("the command line", () => {
  test("makes a user, a token and a tenant", async () => {
    const user = await gateway(
      "users create ada --password-stdin --json --acts-for acme",
      "correct horse battery\n",
    );
    expect(user.status, user.stderr).toBe(0);
    expect(JSON.parse(user.stdout)).toMatchObject({ name: "ada", roles: ["operator"], acts_for: ["acme"] });

    const token = await gateway(
      "tokens create ci --service --scope shop --scope read:crm/* --read-only --role a --role b --expires 12h",
    );
    expect(token.stdout).toMatch(/^gst_api_[\w-]{43}\n$/);
    const listed = JSON.parse((await gateway("tokens list --json")).stdout);
    expect(listed).toMatchObject([{ name: "ci", scopes: ["read:shop", "read:crm/*"], roles: ["a", "b"] }]);

    const tenant = await gateway("tenants create globex --provider shop --tool a* --tool b --json");
    expect(JSON.parse(tenant.stdout)).toMatchObject({ providers: ["shop"], tools: ["a*", "b"] });
    expect((await gateway("users list --tenant globex")).stderr).toBe("0 users.\n");
    expect((await gateway("explain shop_list --as user:ada@globex --via api")).status).toBe(0);
  });

  test.each([
    ["a group without a command", "users", "list"],
    ["an unknown command of a group", "users lst", "Did you mean list?"],
    ["a missing name", "users create", "gateway users create --help"],
    ["no password from anywhere", "users create ada", "--password-stdin"],
    ["a token of nobody", "tokens create ci", "--service"],
    ["a removal that nobody confirms", "tenants remove acme", "--yes"],
    ["an exposure that there is not", "tenants create x --exposure some", "all, selected"],
    ["a question about nobody", "explain shop_list", "--as"],
    ["a connection of nothing", "connections connect", "gateway connections connect --help"],
    ["somebody else at a server", "connections list --server http://127.0.0.1:9 --as user:ada", "`--as`"],
    ["a sign-in nowhere", "login ada --password-stdin", "--server"],
    ["a server that is none", "whoami --server gw.example.com", "https://gateway.example.com"],
  ])("ends with 64 for %s, and says how to go on", async (_what, words, hint) => {
    const { status, stdout, stderr } = await gateway(words);
    expect(status, stderr).toBe(64);
    expect(stdout).toBe("");
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("ends with 1 for what is refused", async () => {
    const { status, stderr } = await gateway("users remove eve");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^gateway: There is no user `eve` in tenant `default`\. `gateway users list`/);
  });

  test("keeps standard output for data", async () => {
    expect((await gateway("tenants update acme --exposure all")).stdout).toBe("");
    expect((await gateway("backup copy.db")).stdout).toBe("");
  });
});
