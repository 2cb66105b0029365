import { readFileSync } from "node:fs";

/** Version of this package, as in its `package.json`. */
export const version: string = readVersion();

function readVersion(): string {
  // The file is part of the package; it has a version or nothing was published.
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new TypeError("package.json has no version");
}
