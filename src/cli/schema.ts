import { readFile } from "node:fs/promises";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** `gateway schema`: prints the JSON Schema of the configuration file. */
export async function schema(console: Console): Promise<ExitCode> {
  const text = await readFile(new URL("../../schemas/gateway.schema.json", import.meta.url), "utf8");
  console.data(text.trimEnd());
  return exitCodes.ok;
}
