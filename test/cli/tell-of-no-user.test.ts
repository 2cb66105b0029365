import { describe, expect, test } from "vitest";
import { tellOfNoUser } from "../../src/cli/tell-of-no-user.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { openState } from "../../src/open-state.ts";
import { recordingConsole } from "./recording-console.ts";
import { makeWorkplace } from "./workplace.ts";

/** What a server with this `auth` says of a store without users. */
async function toldOf(auth: string, option?: string): Promise<string> {
  const workplace = await makeWorkplace(
    `auth: ${auth}\nproviders: {wiki: {mcp_url: "http://127.0.0.1:9/mcp"}}\n`,
  );
  try {
    const { config } = await loadConfig(workplace.config, {
      environment: {},
      references: "resolve",
      workingDirectory: workplace.folder,
    });
    if (config === undefined) throw new Error("no configuration");
    const console = recordingConsole();
    const state = await openState(config, { log: () => {} });
    try {
      await tellOfNoUser(state, config, option, console);
    } finally {
      await state.close();
    }
    return console.told().join("\n");
  } finally {
    await workplace.remove();
  }
}

const oidc = (more: string) =>
  `{provider: oidc, config: {issuer_url: "https://id.example.com", client_id: x${more}}}`;

describe("with a store without users", () => {
  test("nothing is told where nobody signs in", async () => {
    expect(await toldOf("{provider: none}")).toBe("");
  });

  test("the first user of the gateway's own is made by a command", async () => {
    expect(await toldOf("{provider: local}", "my.yaml")).toBe(
      "Nobody can sign in yet. `gateway users create NAME -c my.yaml` makes the first user, an operator.",
    );
  });

  test("nobody needs a password for an OpenID provider, and the first operator is named afterwards", async () => {
    const told = await toldOf(oidc(""), "my.yaml");
    expect(told).toContain("Whoever does at id.example.com becomes a user.");
    expect(told).toContain("`gateway users update NAME --role operator -c my.yaml`");
    expect(told).not.toContain("users create");
  });

  test("where roles come from a claim, its values say who is an operator", async () => {
    expect(await toldOf(oidc(", roles_claim: groups, roles: {staff: member, admins: operator}"))).toContain(
      "An operator is whoever has `admins` in the claim `groups`.",
    );
  });

  test("where no value of the claim does, nobody would ever be one", async () => {
    expect(await toldOf(oidc(", roles_claim: groups"))).toContain("`roles: {VALUE: operator}`");
  });
});
