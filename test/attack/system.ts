import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { call } from "../../src/cli/call.ts";
import type { Console } from "../../src/cli/console.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.ts";
import { Gateway } from "../../src/gateway.ts";
import { asObject } from "../../src/json-object.ts";
import { encodeHeaderValue } from "../../src/mcp/header-value.ts";
import type { Administration } from "../../src/model/administration.ts";
import type { GatewayConfig } from "../../src/model/config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { openState } from "../../src/open-state.ts";
import { gatewayMetaKeys } from "../../src/server/mcp/gateway-meta.ts";
import type { Store } from "../../src/store/store.ts";
import { type Answer, modernRequest, openSession, post, type WireSession } from "../server/mcp/wire.ts";

/** A whole gateway under attack, behind its real server. */
export interface System extends AsyncDisposable {
  readonly url: string;
  readonly gateway: Gateway;
  /** Absolute path of its configuration. */
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Every line of its log, causes included. */
  readonly log: readonly string[];
  /** What it keeps, for tests that put something there; `undefined` without a datastore. */
  readonly store: Store | undefined;
  /** Users, tokens and tenants, as the command line changes them. */
  administration(tenant?: string): Promise<Administration>;
  close(): Promise<void>;
}

/** A folder with these files, gone after the test. */
export async function writeFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "gateway-attack-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Starts the gateway on a free port with these providers; the rest of the configuration is the smallest there is. */
export async function startSystem(
  providers: object,
  options: {
    readonly server?: object;
    /** Further keys of the file, such as `auth` and `tenants`. */
    readonly settings?: object;
    readonly files?: Readonly<Record<string, string | Uint8Array>>;
    readonly environment?: Readonly<Record<string, string>>;
    /** Changes what no file can say, such as shorter times. */
    readonly adjust?: (config: GatewayConfig) => GatewayConfig;
    /** `follow`: goes on while providers start, and tries again where one is away, as `gateway serve` does. Default: one look at each. */
    readonly start?: "follow";
  } = {},
): Promise<System> {
  const config = { server: { port: 0, ...options.server }, ...options.settings, providers };
  const folder = await writeFolder({ "gestalt.yaml": JSON.stringify(config), ...options.files });
  const environment = options.environment ?? {};
  const file = join(folder.path, "gestalt.yaml");
  const loaded = await loadConfig(file, {
    environment,
    references: "resolve",
    workingDirectory: folder.path,
  });
  if (loaded.config === undefined) throw new Error(JSON.stringify(loaded.diagnostics, undefined, 2));
  const log: string[] = [];
  const configuration = options.adjust?.(loaded.config) ?? loaded.config;
  const tell = (message: string, cause?: unknown): void => {
    log.push(`${message} ${cause instanceof Error ? cause.stack : String(cause ?? "")}`);
  };
  const opened = await openState(configuration, { log: tell });
  const gateway = new Gateway(configuration, {
    workingDirectory: folder.path,
    environment,
    identity: opened.identity,
    store: opened.store,
    vault: opened.vault,
    ...{ address: opened.address, oidcSignIn: opened.oidcSignIn },
    authorizationServer: opened.authorizationServer,
    log: tell,
    retry: options.start === "follow",
  });
  const server = await gateway.listen();
  const starting = gateway.start();
  const diagnostics = options.start === "follow" ? [] : await starting;
  server.markStarted();
  const close = async (): Promise<void> => {
    await server.drain(0);
    await gateway.close();
    await starting;
    await opened.close();
    await folder.remove();
  };
  const administration = async (tenant?: string): Promise<Administration> =>
    opened.identity.administration(await opened.operator(tenant));
  const { url } = server;
  return {
    ...{ url, gateway, file, diagnostics, log, store: opened.store, administration, close },
    [Symbol.asyncDispose]: close,
  };
}

/** What a call came to, whichever way it went. */
export interface Outcome {
  /** `result`: carried out; `refused`: the call's own fault; `unknown`: no such tool; `failed`: the gateway's or the upstream's. */
  readonly kind: "result" | "refused" | "unknown" | "failed";
  readonly code: string;
  /** All that the caller was told. */
  readonly text: string;
}

/** One way into the gateway. */
export type Way = "MCP legacy" | "MCP modern" | "HTTP API" | "CLI";

/** POSTs a modern `tools/call`, its name also in the header. */
export function callModern(
  url: string,
  name: string,
  given: JsonObject,
  id: string | number = 1,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const request = modernRequest("tools/call", { name, arguments: given }, id);
  const sent = { ...request.headers, "mcp-name": encodeHeaderValue(name.toWellFormed()), ...headers };
  return post(`${url}/mcp`, request.message, sent);
}

/** Opens a legacy session. */
export function openLegacy(
  url: string,
  version?: string,
  headers?: Readonly<Record<string, string>>,
): Promise<WireSession> {
  return openSession(`${url}/mcp`, version, {}, headers);
}

/** Reads an MCP answer as an outcome. */
export function readMcp(answer: Answer): Outcome {
  const { error, result } = answer.message;
  if (error !== undefined) {
    const code = String(asObject(error)?.["code"]);
    const kind = code === "-32602" ? "unknown" : code === "-32603" ? "failed" : "refused";
    return { kind, code, text: answer.text };
  }
  const outcome = asObject(result);
  if (outcome?.["isError"] !== true) return { kind: "result", code: "", text: answer.text };
  const code = asObject(asObject(outcome["_meta"])?.[gatewayMetaKeys.error])?.["code"];
  return { ...kindOf(typeof code === "string" ? code : ""), text: answer.text };
}

/** Calls over the HTTP API. `path` is what follows `/api/v1/`, as it is. */
export async function callApi(
  url: string,
  path: string,
  given: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(given),
  });
  const text = await response.text();
  const code = response.headers.get("gateway-error");
  if (code === null) return { kind: "result", code: "", text };
  return { ...kindOf(code), text };
}

/** Calls as `gateway call` does, in this process. */
export async function callCli(file: string, tool: string, given: JsonObject): Promise<Outcome> {
  const console = recordingConsole();
  const folder = await writeFolder({ "arguments.json": JSON.stringify(given) });
  try {
    const json = join(folder.path, "arguments.json");
    const options = { config: file, tool, texts: [], json, connection: undefined, instance: undefined };
    const status = await call({ ...options, dryRun: false }, console);
    return { kind: status === 0 ? "result" : "failed", code: "", text: console.text() };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "internal";
    return { ...kindOf(code), text: `${console.text()}${String(error)}` };
  } finally {
    await folder.remove();
  }
}

/** A console that keeps what it is told. */
export function recordingConsole(): Console & { readonly text: () => string } {
  let text = "";
  const tell = (line: string): void => {
    text += `${line}\n`;
  };
  const bytes = (content: Uint8Array): void => tell(Buffer.from(content).toString("utf8"));
  return { data: tell, say: tell, bytes, colour: false, isTerminal: false, text: () => text };
}

function kindOf(code: string): Pick<Outcome, "kind" | "code"> {
  if (code === "") return { kind: "result", code };
  if (code === "not_found") return { kind: "unknown", code };
  const refusals = ["bad_request", "invalid_arguments", "mcp_only", "method_not_allowed", "unsupported"];
  return { kind: refusals.includes(code) ? "refused" : "failed", code };
}
