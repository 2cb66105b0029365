import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { refuseProviderName } from "../config/rules/provider-name.ts";
import { renderHuman } from "../diagnostics/render-human.ts";
import { GatewayError } from "../errors.ts";
import { type OpenApiSurvey, type SuggestedAuth, surveyDocument } from "../gateway.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** Options of `gateway init`. */
export interface InitOptions {
  readonly openapi: string | undefined;
  readonly graphql: string | undefined;
  readonly mcp: string | undefined;
  readonly name: string | undefined;
  readonly output: string;
  readonly force: boolean;
}

/** The part of a configuration that depends on the source. */
interface Draft {
  readonly name: string;
  readonly displayName: string;
  /** Lines below `surfaces:`, indented by two per level from there. */
  readonly surface: readonly string[];
  readonly auth: SuggestedAuth | undefined;
  /** What is left for the author to do. */
  readonly hints: readonly string[];
}

/** `gateway init`: writes a commented configuration with one provider. */
export async function init(options: InitOptions, console: Console): Promise<ExitCode> {
  const sources = [options.openapi, options.graphql, options.mcp].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    console.say("gateway: name one source: `--openapi`, `--graphql` or `--mcp`.");
    return exitCodes.usage;
  }
  const refusal = options.name === undefined ? undefined : refuseProviderName(options.name);
  if (refusal !== undefined) {
    console.say(`gateway: ${refusal}`);
    return exitCodes.usage;
  }
  const url = sources.find((source) => source !== undefined && isUrl(source));
  if (url !== undefined && !URL.canParse(url)) {
    console.say(`gateway: \`${url}\` is not a valid URL.`);
    return exitCodes.usage;
  }
  const toStdout = options.output === "-";
  const output = resolve(options.output);
  if (!toStdout && !options.force && (await exists(output))) {
    console.say(
      `gateway: \`${options.output}\` exists; \`--force\` overwrites it, \`-o\` writes another file.`,
    );
    return exitCodes.failed;
  }
  const folder = toStdout ? process.cwd() : dirname(output);
  const draft = await makeDraft(options, folder, console);
  if (draft === undefined) return exitCodes.invalid;
  const text = writeConfiguration({ ...draft, name: options.name ?? draft.name });
  if (toStdout) {
    console.data(text.trimEnd());
  } else {
    await writeFile(output, text).catch((cause: unknown) => {
      throw new GatewayError("internal", `\`${options.output}\` can't be written. Does its folder exist?`, {
        cause,
      });
    });
    const flag = options.output === "gestalt.yaml" ? "" : ` -c ${options.output}`;
    const variables = variablesIn(text);
    const set = variables.length === 0 ? "" : `set ${variables.map((name) => `\`${name}\``).join(" and ")}, `;
    console.say(
      `Wrote ${options.output}. Next: ${set}\`gateway validate${flag}\`, then \`gateway serve${flag}\`.`,
    );
  }
  for (const hint of draft.hints) console.say(hint);
  return exitCodes.ok;
}

/** The environment variables that a configuration of ours needs. */
function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(/value: "\$\{env:(\w+)\}"/g)].map(([, name = ""]) => name);
}

async function makeDraft(options: InitOptions, folder: string, console: Console): Promise<Draft | undefined> {
  if (options.openapi !== undefined) return draftOpenApi(options.openapi, folder, console);
  if (options.graphql !== undefined) return draftGraphql(options.graphql, folder);
  return draftMcp(options.mcp ?? "");
}

async function draftOpenApi(source: string, folder: string, console: Console): Promise<Draft | undefined> {
  const surveyed = await surveyDocument(isUrl(source) ? source : resolve(source), process.cwd());
  if ("diagnostics" in surveyed) {
    console.say(renderHuman(surveyed.diagnostics, { sources: new Map(), color: console.colour }).trimEnd());
    return undefined;
  }
  const { baseUrl, auth }: OpenApiSurvey = surveyed.survey;
  const title = surveyed.survey.title?.trim() || undefined;
  const missing = baseUrl === undefined;
  return {
    name: toName(nameSource(source, baseUrl, title)),
    displayName: title ?? nameSource(source, baseUrl),
    surface: [
      "openapi:",
      `  document: ${quote(isUrl(source) ? source : relativePath(folder, source))}`,
      ...(missing
        ? [
            "  # The document names no server. Put the API's address here.",
            "  base_url: https://api.example.com",
          ]
        : [`  # The document's own server is used; this would replace it.`, `  # base_url: ${baseUrl}`]),
      ...(auth === undefined ? [] : ["  connection: default"]),
    ],
    auth,
    hints: missing ? ["The document names no server: put the API's address into `base_url`."] : [],
  };
}

function draftGraphql(source: string, folder: string): Draft {
  const name = nameSource(source, undefined);
  if (isUrl(source)) {
    return {
      name: toName(name),
      displayName: name,
      surface: [
        "graphql:",
        `  url: ${quote(source)}`,
        "  # The schema is read by introspection. Where that is off, name an SDL file:",
        "  # schema: ./schema.graphql",
      ],
      auth: undefined,
      hints: [],
    };
  }
  return {
    name: toName(name),
    displayName: name,
    surface: [
      "graphql:",
      "  # The address that the operations are sent to.",
      "  url: https://api.example.com/graphql",
      `  schema: ${quote(relativePath(folder, source))}`,
    ],
    auth: undefined,
    hints: ["Put the endpoint's address into `url`."],
  };
}

function draftMcp(source: string): Draft {
  if (isUrl(source)) {
    const name = nameSource(source, undefined);
    return {
      name: toName(name),
      displayName: name,
      surface: ["mcp:", `  url: ${quote(source)}`],
      auth: undefined,
      hints: [],
    };
  }
  const command = source.trim().split(/\s+/);
  const name = basename(
    command.findLast((word) => !word.startsWith("-") && !word.startsWith(".")) ?? "server",
  );
  return {
    name: toName(name),
    displayName: name,
    surface: [
      "mcp:",
      "  # A list of arguments; it never passes through a shell.",
      `  command: [${command.map(quote).join(", ")}]`,
    ],
    auth: undefined,
    hints: [],
  };
}

function writeConfiguration(draft: Draft): string {
  // A variable's name begins with a letter.
  const variable = `${draft.name.toUpperCase().replaceAll("-", "_")}_`.replace(/^(?=\d)/, "API_");
  const connections = draft.auth === undefined ? [] : writeConnection(draft.auth, variable);
  return `${[
    "# Gestalt Gateway. `gateway validate` checks this file, `gateway serve` serves it.",
    "# For completion in your editor run `gateway schema > gateway.schema.json` and begin this file with",
    "# `# yaml-language-server: $schema=./gateway.schema.json`.",
    "",
    "server:",
    "  host: 127.0.0.1",
    "  port: 8080",
    "",
    "providers:",
    `  ${draft.name}:`,
    `    display_name: ${quote(draft.displayName)}`,
    "    surfaces:",
    ...draft.surface.map((line) => `      ${line}`),
    ...connections.map((line) => `    ${line}`),
    "    # Which operations become tools: ids, globs, `GET /path/**` or `tag:NAME`.",
    "    # select:",
    '    #   include: ["*"]',
    '    #   exclude: ["delete*"]',
  ].join("\n")}\n`;
}

function writeConnection(auth: SuggestedAuth, variable: string): readonly string[] {
  const head = [
    "connections:",
    "  default:",
    "    # The gateway's own credential, for all callers.",
    "    mode: identity",
  ];
  const field = (name: string, target: string, reference: string): string =>
    `- {name: ${name}, ${target}value: "\${env:${variable}${reference}}"}`;
  switch (auth.type) {
    case "bearer":
      return [
        ...head,
        "    auth:",
        "      type: bearer",
        "      credentials:",
        `        ${field("token", "", "TOKEN")}`,
      ];
    case "basic":
      return [
        ...head,
        "    auth:",
        "      type: manual",
        "      credentials:",
        `        ${field("username", "basic: username, ", "USERNAME")}`,
        `        ${field("password", "basic: password, ", "PASSWORD")}`,
      ];
    case "key":
      return [
        ...head,
        "    auth:",
        "      type: manual",
        "      credentials:",
        `        ${field("key", `${auth.in}: ${quote(auth.name)}, `, "KEY")}`,
      ];
  }
}

function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** Words that every API has in its name, and so tell nothing. */
const dullWords = new Set(
  "the www api apis openapi swagger rest spec schema graphql mcp server public bundled doc docs v1 v2 v3".split(
    " ",
  ),
);

const longestName = 20;

/**
 * A short name for a source, which becomes the prefix of all its tools: the telling label of the API's host, else the telling
 * words of the file's name, else those of the title.
 */
function nameSource(source: string, address: string | undefined, title = ""): string {
  return nameHost(address ?? source) ?? nameWords(basename(source)) ?? nameWords(title) ?? "api";
}

function nameHost(address: string): string | undefined {
  if (!isUrl(address) || !URL.canParse(address)) return undefined;
  const labels = new URL(address).hostname.split(".");
  // An address in digits, a name of this network only, or one that RFC 2606 reserves for examples tells nothing.
  if (labels.length < 2 || labels.every((label) => /^\d+$/.test(label))) return undefined;
  if (/(^|\.)(example\.(com|net|org)|example|test|invalid|localhost)$/.test(labels.join(".")))
    return undefined;
  return labels
    .slice(0, -1)
    .findLast((label) => !dullWords.has(label) && !/^(com|co|org|net|gov|ac)$/.test(label));
}

function nameWords(text: string): string | undefined {
  const words = text
    .replace(/\.[a-z]+$/i, "")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !dullWords.has(word) && !/^v\d/.test(word));
  return words.length === 0 ? undefined : words.join("_");
}

/** A provider's key: `^[a-z0-9][a-z0-9_-]{0,31}$` without `__`, and none that the HTTP API has a route for. */
function toName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, longestName)
    .replace(/_+$/, "");
  return name === "" ? "api" : refuseProviderName(name) === undefined ? name : `${name}_api`;
}

function relativePath(folder: string, file: string): string {
  const path = relative(folder, resolve(file));
  return isAbsolute(path) || path.startsWith("..") ? path : `./${path}`;
}

/** Foreign text as a YAML scalar that reads back as the same: JSON strings are YAML, and `$${` is no reference. */
function quote(text: string): string {
  return JSON.stringify(text.replaceAll("${", () => "$${"));
}

async function exists(file: string): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch {
    return false;
  }
}
