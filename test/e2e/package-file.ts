import { fileURLToPath } from "node:url";

/** The path of a file of an installed package, also of those that it does not export. */
export function packageFile(name: string, file: string): string {
  return fileURLToPath(new URL(`../../node_modules/${name}/${file}`, import.meta.url));
}
