import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backup } from "../../src/cli/backup.ts";
import { createUser, listUsers } from "../../src/cli/users.ts";
import { recordingConsole } from "./recording-console.ts";
import { runGateway } from "./running-gateway.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, outcomeOf, standardConfiguration, type TestWorkplace } from "./workplace.ts";

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace();
  const prompt = scriptedPrompt({ input: "correct horse battery" });
  const details = { displayName: undefined, roles: [], actsFor: [], passwordStdin: true };
  await createUser("ada", { ...workplace.place(), ...details }, recordingConsole(), prompt);
});
afterEach(() => workplace.remove());

describe("a backup", () => {
  test("is a store with everything in it, taken while a gateway serves", async () => {
    const gateway = await runGateway(workplace.config);
    const file = join(workplace.folder, "copy.db");
    try {
      const { status, told } = await outcomeOf((console) =>
        backup({ config: workplace.config, file }, console),
      );
      expect(status).toBe(0);
      expect(told.join()).toContain("copied");
    } finally {
      await gateway.stop();
    }
    const config = join(workplace.folder, "restored.yaml");
    await writeFile(
      config,
      `${standardConfiguration}\ndatastore: {provider: sqlite, config: {path: ./copy.db}}\n`,
    );
    const listed = await outcomeOf((console) => listUsers(workplace.place({ config, json: true }), console));
    expect(listed.json()).toMatchObject([{ name: "ada" }]);
  });

  test("overwrites nothing", async () => {
    const file = join(workplace.folder, "copy.db");
    await writeFile(file, "precious");
    await expect(backup({ config: workplace.config, file }, recordingConsole())).rejects.toMatchObject({
      name: "GatewayError",
    });
  });
});
