import { readFile } from "node:fs/promises";
import { text as readText } from "node:stream/consumers";
import { findAwaited } from "../catalog/find-awaited.ts";
import { argumentsFromTexts } from "../catalog/text-arguments.ts";
import { didYouMean } from "../did-you-mean.ts";
import { GatewayError } from "../errors.ts";
import { type Gateway, silentPeer } from "../gateway.ts";
import { asObject, isJsonObject } from "../json-object.ts";
import type { ClientPeer, InvocationRequest } from "../model/invocation.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import type { HttpResult, InvocationResult } from "../model/result.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type LoadedForReading, loadForReading, loadValid, narrowToTool, openForCommand } from "./load.ts";
import { withState } from "./with-state.ts";

/** Options of `gateway call`. */
export interface CallOptions {
  readonly config: string | undefined;
  readonly tool: string;
  /** `name=value`, as given. */
  readonly texts: readonly string[];
  readonly json: string | undefined;
  readonly connection: string | undefined;
  readonly instance: string | undefined;
  /** Whose call it is, such as `user:ada`; `undefined`: the operator's. */
  readonly as?: string | undefined;
  readonly dryRun: boolean;
}

/**
 * `gateway call`: one call through the broker, as the operator or as one of the principals. The answer's body goes to stdout as it is; status 1 when
 * the upstream or the gateway refused.
 */
export async function call(options: CallOptions, console: Console): Promise<ExitCode> {
  const pairs = splitTexts(options.texts);
  if (typeof pairs === "string") {
    console.say(`gateway: \`--arg ${pairs}\` has no \`=\`; write \`--arg name=value\`.`);
    return exitCodes.usage;
  }
  const loaded = await loadForCall(options, console);
  if (loaded === undefined) return exitCodes.invalid;
  return withState(loaded.config, options.as, console, async (principal, state) => {
    // What is only shown takes no credential.
    if (!options.dryRun) await state.checkKeys();
    const narrowed = narrowToTool(loaded.config, options.tool);
    const gateway = openForCommand(narrowed, console, loaded.reach, state);
    const signsIn = loaded.config.auth.provider !== "none";
    return callAs(principal, gateway, pairs, { ...options, signsIn }, console);
  });
}

interface WithUsers {
  /** Whether there are users, whose credentials differ from those of whoever runs the command. */
  readonly signsIn: boolean;
}

async function callAs(
  principal: Principal,
  gateway: Gateway,
  pairs: readonly (readonly [string, string])[],
  options: CallOptions & WithUsers,
  console: Console,
): Promise<ExitCode> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
    // Attempts to reach providers end with the gateway.
    void gateway.close();
  };
  process.once("SIGINT", interrupt);
  try {
    await gateway.start();
    if (interrupted.signal.aborted) {
      console.say("Interrupted before the call was made.");
      return exitCodes.failed;
    }
    await gateway.prepare(principal);
    const view = gateway.view(principal, "api");
    const tool = view.findTool(options.tool);
    if (tool === undefined) {
      const hint = didYouMean(
        options.tool,
        view.tools.map(({ name }) => name),
      );
      // A provider that is away, or waits for a connection, may have it; then the broker says so.
      const isAwaited = findAwaited(view, options.tool).length > 0;
      if (!isAwaited && (hint !== undefined || view.incomplete.length === 0)) {
        const help = hint === undefined ? "`gateway tools` lists them." : `Did you mean \`${hint}\`?`;
        console.say(`gateway: there is no tool \`${options.tool}\`. ${help}`);
        return exitCodes.failed;
      }
    }
    const request: InvocationRequest = {
      principal,
      via: "cli",
      target: { kind: "tool", name: options.tool },
      arguments: {
        ...(options.json === undefined ? {} : await readArguments(options.json)),
        ...convertTexts(pairs, tool?.inputSchema ?? {}),
      },
      connection: options.connection,
      instance: options.instance,
      peer: silentPeer(tellProgress(console)),
      signal: interrupted.signal,
    };
    if (options.dryRun) {
      console.data(JSON.stringify(await gateway.preview(request), undefined, 2));
      return exitCodes.ok;
    }
    const result = await gateway.broker.invoke(request).catch((error: unknown) => {
      throw withHint(error, principal, gateway, options);
    });
    printResult(result, console);
    return result.kind === "input_required" || result.isError ? exitCodes.failed : exitCodes.ok;
  } finally {
    process.off("SIGINT", interrupt);
    await gateway.close();
  }
}

/** What a command does about a failure, where that is not what a client would do. */
function withHint(
  error: unknown,
  { kind }: Principal,
  { config }: Gateway,
  { instance, signsIn }: CallOptions & WithUsers,
): unknown {
  if (!(error instanceof GatewayError)) return error;
  const { code, message, details, retryable } = error;
  const provider = config.providers.find(({ name }) => name === details["provider"]);
  const mode = provider?.connections[String(details["connection"])]?.mode;
  const hint =
    code === "instance_selection_required" && instance === undefined
      ? "(`--instance NAME`)"
      : code === "not_connected" && signsIn && kind === "operator" && (mode === "user" || mode === "either")
        ? "The call was made as whoever runs the command; `--as user:NAME` calls with the credentials of a user."
        : undefined;
  return hint === undefined
    ? error
    : new GatewayError(code, `${message} ${hint}`, { cause: error, details, retryable });
}

/** What is only shown needs no secrets; what is sent needs all of them. */
async function loadForCall(options: CallOptions, console: Console): Promise<LoadedForReading | undefined> {
  if (options.dryRun) return loadForReading(options.config, console);
  const config = await loadValid(options.config, console);
  return config === undefined ? undefined : { config, reach: "online" };
}

/** The pairs, or the first text that is none. */
function splitTexts(texts: readonly string[]): readonly (readonly [string, string])[] | string {
  const pairs: (readonly [string, string])[] = [];
  for (const text of texts) {
    const mark = text.indexOf("=");
    if (mark <= 0) return text;
    pairs.push([text.slice(0, mark), text.slice(mark + 1)]);
  }
  return pairs;
}

function convertTexts(pairs: readonly (readonly [string, string])[], inputSchema: JsonObject): JsonObject {
  try {
    return argumentsFromTexts(pairs, inputSchema);
  } catch (error) {
    if (error instanceof RangeError) throw new GatewayError("bad_request", error.message);
    throw error;
  }
}

async function readArguments(file: string): Promise<JsonObject> {
  const content = file === "-" ? await readText(process.stdin) : await readArgumentFile(file);
  try {
    // JSON.parse gives JSON values and nothing else.
    const value = JSON.parse(content) as JsonValue;
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw new GatewayError(
      "bad_request",
      `${file === "-" ? "Standard input" : `\`${file}\``} is not valid JSON: ${error instanceof Error ? error.message : ""}.`,
    );
  }
  throw new GatewayError("bad_request", "The arguments must be a JSON object.");
}

async function readArgumentFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new GatewayError("bad_request", `\`${file}\` can't be read. Is the path right?`, { cause: error });
  }
}

function printResult(result: InvocationResult, console: Console): void {
  if (result.kind === "http") {
    if (result.isError) console.say(describeRefusal(result));
    else if (result.body.length === 0)
      console.say(`The upstream answered with status ${result.status} and no body.`);
    if (result.body.length > 0) console.bytes(result.body);
    for (const note of result.notes ?? []) console.say(note);
    return;
  }
  // Only who can answer is asked.
  if (result.kind === "input_required") return;
  if (result.isError) console.say("The upstream's tool reported an error.");
  const content = result.result["content"];
  for (const block of Array.isArray(content) ? content : []) {
    const { type, text } = asObject(block) ?? {};
    console.data(type === "text" && typeof text === "string" ? text : JSON.stringify(block));
  }
  if (!Array.isArray(content) || content.length === 0) console.data(JSON.stringify(result.result));
}

/** What the body of a refusal does not say: where a redirect leads, and when to try again. */
function describeRefusal({ status, headers, attempts = 1 }: HttpResult): string {
  const { location, "retry-after": retryAfter } = headers;
  const redirects = status >= 300 && status < 400 && location !== undefined;
  const where = redirects ? ` and redirects to ${location}, which the gateway does not follow` : "";
  const tried = attempts > 1 ? ` It was tried ${attempts} times.` : "";
  const wait = retryAfter === undefined ? "" : ` It asks to wait: \`Retry-After: ${retryAfter}\`.`;
  return `The upstream answered with status ${status}${where}.${tried}${wait}`;
}

/** Progress of a call is told on a terminal. */
function tellProgress(console: Console): ClientPeer["notify"] {
  return (method, { message }) => {
    if (console.isTerminal && method === "notifications/progress" && typeof message === "string") {
      console.say(message);
    }
  };
}
