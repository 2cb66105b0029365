import { type LoadConfigOptions, type LoadedConfig, loadConfig } from "../../src/config/load-config.ts";

/** Loads a configuration from memory: `/config/gestalt.yaml` and whatever else lies beside it. */
export function loadText(
  text: string | Uint8Array,
  options: Partial<LoadConfigOptions> & { readonly files?: Readonly<Record<string, string>> } = {},
): Promise<LoadedConfig> {
  const { files = {}, ...rest } = options;
  return loadConfig("gestalt.yaml", {
    environment: {},
    references: "check",
    workingDirectory: "/config",
    readFile: async (path) => {
      const content = path === "/config/gestalt.yaml" ? text : files[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return typeof content === "string" ? new TextEncoder().encode(content) : content;
    },
    ...rest,
  });
}
