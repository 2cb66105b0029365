import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "../..");
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), "utf8"));
const manifest = read("package.json") as Readonly<Record<string, Readonly<Record<string, string>>>>;
const lock = read("package-lock.json") as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
};
const installed = Object.entries(lock.packages).filter(
  ([path, { link }]) => path.startsWith("node_modules/") && link !== true,
);
/** What `npm install gestalt-gateway` brings; the rest is for work on it. */
const inProduction = installed.filter(
  ([path, { dev, devOptional }]) => !(dev || devOptional || isRuntime(path)),
);

/** The Node that the scripts of this repository run on, which is no part of the package. */
function isRuntime(path: string): boolean {
  return /^node_modules\/node-(?:bin-)?(?:darwin|linux)-/.test(path);
}

const allowedLicenses = [
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "PSF-2.0",
  "(Apache-2.0 AND BSD-3-Clause)",
];

describe("what an installation brings (Shai-Hulud, axios, TanStack, litellm 2026-03: packages that were taken over)", () => {
  test("runs nothing while it is installed, here or at work on it", () => {
    const scripts = inProduction.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripts.map(([path]) => path)).toEqual([]);
    // What is only for work on it may have some, and never gets to run them.
    const setup = readFileSync(join(root, "scripts/setup.mjs"), "utf8");
    for (const [command] of setup.matchAll(/npm (?:ci|install)[^"`\n]*/g))
      expect(command).toContain("--ignore-scripts");
    for (const hook of ["preinstall", "install", "postinstall", "prepare", "prepublish"])
      expect(manifest["scripts"]?.[hook]).toBeUndefined();
  });

  test("is few packages, each of which somebody can look at", () => {
    expect(inProduction.length).toBeGreaterThan(20);
    expect(inProduction.length).toBeLessThanOrEqual(80);
  });

  test("is under licences that let it be passed on", () => {
    const others = inProduction.filter(([, { license }]) => !allowedLicenses.includes(license ?? "none"));
    expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  });
});

describe("which versions are installed is decided here", () => {
  test.each(["dependencies", "devDependencies"])("%s are named exactly", (kind) => {
    for (const [name, version] of Object.entries(manifest[kind] ?? {}))
      expect(version, name).toMatch(/^(?:npm:[@a-z/-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/);
  });

  test("and the lock file holds all of them, with what their bytes come to, from one registry", () => {
    expect(lock.lockfileVersion).toBe(3);
    for (const [path, { version, integrity, resolved }] of inProduction) {
      expect(version, path).toBeDefined();
      expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved === undefined || resolved.startsWith("https://registry.npmjs.org/"), path).toBe(true);
    }
    for (const [path, { dependencies = {} }] of inProduction)
      for (const name of Object.keys(dependencies))
        expect(isLocked(path, name), `${path} needs ${name}`).toBe(true);
  });

  test("as the manifest names them", () => {
    for (const [name, version] of Object.entries(manifest["dependencies"] ?? {}))
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
  });
});

/** As Node looks for it: beside the package, or in a folder above. */
function isLocked(path: string, name: string): boolean {
  const folders = path
    .split("/node_modules/")
    .map((_part, index, parts) => parts.slice(0, index + 1).join("/node_modules/"));
  return [...folders.map((folder) => `${folder}/node_modules/${name}`), `node_modules/${name}`].some(
    (place) => lock.packages[place] !== undefined,
  );
}
