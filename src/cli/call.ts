import { readFile } from "node:fs/promises";
import { text as readText } from "node:stream/consumers";
import { argumentsFromTexts } from "../catalog/text-arguments.ts";
import { didYouMean } from "../did-you-mean.ts";
import { GatewayError } from "../errors.ts";
import { operator, silentPeer } from "../gateway.ts";
import { asObject, isJsonObject } from "../json-object.ts";
import type { ClientPeer, InvocationRequest } from "../model/invocation.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { HttpResult, InvocationResult } from "../model/result.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type LoadedForReading, loadForReading, loadValid, narrowToTool, openForCommand } from "./load.ts";

/** Options of `gateway call`. */
export interface CallOptions {
  readonly config: string | undefined;
  readonly tool: string;
  /** `name=value`, as given. */
  readonly texts: readonly string[];
  readonly json: string | undefined;
  readonly connection: string | undefined;
  readonly instance: string | undefined;
  readonly dryRun: boolean;
}

/**
 * `gateway call`: one call through the broker, as the gateway itself. The answer's body goes to stdout as it is; status 1 when
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
  const gateway = openForCommand(narrowToTool(loaded.config, options.tool), console, loaded.reach);
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
    const view = gateway.snapshot.view("api");
    const tool = view.findTool(options.tool);
    if (tool === undefined) {
      const hint = didYouMean(
        options.tool,
        view.tools.map(({ name }) => name),
      );
      // A provider that is away may have it; then the broker says so.
      if (hint !== undefined || view.incomplete.length === 0) {
        const help = hint === undefined ? "`gateway tools` lists them." : `Did you mean \`${hint}\`?`;
        console.say(`gateway: there is no tool \`${options.tool}\`. ${help}`);
        return exitCodes.failed;
      }
    }
    const request: InvocationRequest = {
      principal: operator,
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
    const result = await gateway.broker.invoke(request);
    printResult(result, console);
    return result.isError ? exitCodes.failed : exitCodes.ok;
  } finally {
    process.off("SIGINT", interrupt);
    await gateway.close();
  }
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
