import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** The versions with sessions, or 2026-07-28. */
export type Era = "legacy" | "modern";

/** A suite for servers. */
export interface Suite {
  readonly name: string;
  /** What its client speaks. */
  readonly era: Era;
  /** The runner's program. */
  readonly program: string;
  /** Which scenarios, as the runner's arguments. */
  readonly selection: readonly string[];
  /** The scenarios that its version requires; absent: all. */
  readonly required?: readonly string[];
}

/** Scenarios of a suite for clients. */
export interface ClientSuite {
  readonly name: string;
  readonly program: string;
  readonly scenarios: readonly string[];
  readonly selection: readonly string[];
}

/** Scenarios for authorization servers, which no version requires: the protocol leaves these to others. */
export interface AuthorizationSuite {
  readonly name: string;
  readonly program: string;
  readonly selection: readonly string[];
  /** Whether clients of this version say what a token is for (RFC 8707). */
  readonly namesResource: boolean;
}

const modules = join(import.meta.dirname, "..", "..", "node_modules");
const current = join(modules, "@modelcontextprotocol", "conformance");
const next = join(modules, "conformance-next");

/** Came after its version was released, so nothing requires it; a gateway that lost a keyword would break tools all the same. */
const beyondRequired = ["json-schema-2020-12-preservation"];

/** The suites for servers. */
export function serverSuites(): readonly Suite[] {
  const all = { name: "0.1.16 all", era: "legacy", selection: ["--suite", "all"] } as const;
  return [
    { ...all, program: program(current) },
    revision("2025-11-25", "legacy"),
    revision("2026-07-28", "modern"),
  ];
}

/** The suites for clients, whole but for extensions and drafts, which no version requires. */
export function clientSuites(): readonly ClientSuite[] {
  const all = { name: "0.1.16 client", scenarios: listClientScenarios(current), selection: [] };
  return [{ ...all, program: program(current) }, clientRevision("2025-11-25"), clientRevision("2026-07-28")];
}

/** The suites for authorization servers, one for each version that has such; 0.1.16 has none. */
export function authorizationSuites(): readonly AuthorizationSuite[] {
  return ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"].map((version) => ({
    name: `${version} authorization`,
    program: program(next),
    selection: ["--spec-version", version],
    namesResource: version !== "2025-03-26",
  }));
}

/** What a version of the protocol requires, frozen when it was released. */
function revision(name: string, era: Era): Suite {
  const selection = ["--requirements", name];
  return { name, era, program: program(next), selection, required: requirements(name).server };
}

function clientRevision(name: string): ClientSuite {
  const scenarios = [...requirements(name).client, ...beyondRequired];
  return { name: `${name} client`, program: program(next), scenarios, selection: ["--spec-version", name] };
}

function requirements(name: string): Readonly<Record<"server" | "client", readonly string[]>> {
  return parse(readFileSync(join(next, "requirements", `${name}.yaml`), "utf8"));
}

/** A runner's own list, without drafts and extensions. */
function listClientScenarios(folder: string): readonly string[] {
  const text = execFileSync(process.execPath, [program(folder), "list", "--client"], { encoding: "utf8" });
  return [...text.matchAll(/^ *- (\S+) \[(?!draft|extension)/gm)].flatMap(([, name]) => name ?? []);
}

function program(folder: string): string {
  return join(folder, "dist", "index.js");
}
