import type { Command } from "commander";
import { configOption, type Registration } from "./registration.ts";

interface KeysFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** `gateway keys …`. */
export function registerKeys(program: Command, { console, add, finish }: Registration): void {
  const keys = add(program, "keys", "the keys that seal what is connected");
  add(keys, "generate", "print a new key").action(async () => {
    const { generateKey } = await import("../keys.ts");
    finish(generateKey(console));
  });
  add(keys, "status", "tell how many stored records need which key of the ring")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(async ({ config, json = false }: KeysFlags) => {
      const { keyStatus } = await import("../keys.ts");
      finish(await keyStatus({ config, json }, console));
    });
  add(keys, "rotate", "seal everything with the first key of the ring, also while a gateway serves")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(async ({ config, json = false }: KeysFlags) => {
      const { rotate } = await import("../keys.ts");
      finish(await rotate({ config, json }, console));
    });
  add(keys, "discard", "remove what only a lost key would open, so that everybody can connect anew")
    .argument("<fingerprint>", "of the key, as `gateway keys status` shows it")
    .addOption(configOption())
    .option("--yes", "do not ask")
    .option("--json", "print JSON")
    .action(
      async (
        fingerprint: string,
        { config, json = false, yes = false }: KeysFlags & { readonly yes?: boolean },
      ) => {
        const [{ discard }, { processPrompt }] = await Promise.all([
          import("../keys.ts"),
          import("../prompt.ts"),
        ]);
        finish(await discard(fingerprint, { config, json, yes }, console, processPrompt(console)));
      },
    );
}
