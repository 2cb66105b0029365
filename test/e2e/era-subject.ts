import { setTimeout as wait } from "node:timers/promises";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";

/** The lists that change on request. */
export type EraList = "tools" | "prompts" | "resources";

/** What became different, for those who watch. */
export type EraChange = { readonly list: EraList } | { readonly uri: string };

/** One request, with the ways back that its version of the protocol has. */
export interface EraCall {
  /** The version that it came in. */
  readonly version: string;
  /** What the client of the call has declared. */
  readonly capabilities: JsonObject;
  readonly signal: AbortSignal;
  /** Says how far it is, if the client has asked for that. */
  readonly progress: (progress: number, total: number) => Promise<void>;
  readonly log: (level: string, data: string) => Promise<void>;
  /** Asks the client. @param key names the question within the call. */
  readonly ask: (key: string, method: string, params: JsonObject) => Promise<JsonValue>;
}

/** The resource that the tool `touch` changes. */
export const watchedUri = "memo://watched";
/** The resource that is always the same. */
export const staticUri = "memo://static";
/** The template of all notes. */
export const noteTemplate = "memo://note/{id}";
/** The form that the tool `ask_form` shows. */
export const nameForm = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
} as const;

/** How often each list was changed. */
export type EraCounts = Readonly<Record<EraList, number>>;

/**
 * What every upstream of the matrix does, in words of no version: one process has one, whatever number of sessions it serves. Errors
 * of the protocol are thrown as errors with `code` and `data`.
 */
export class EraSubject {
  readonly #counts: Record<EraList, number> = { tools: 0, prompts: 0, resources: 0 };
  readonly #waits = new Map<string, "running" | "cancelled">();
  readonly #announce: (change: EraChange) => void;
  #touched = 0;

  constructor(announce: (change: EraChange) => void) {
    this.#announce = announce;
  }

  get counts(): EraCounts {
    return { ...this.#counts };
  }

  /** Takes over what another process with the same lists has changed. */
  adopt(counts: EraCounts): void {
    for (const list of ["tools", "prompts", "resources"] as const) {
      if (counts[list] <= this.#counts[list]) continue;
      this.#counts[list] = counts[list];
      this.#announce({ list });
    }
  }

  async handle(method: string, params: JsonObject, call: EraCall): Promise<JsonObject> {
    switch (method) {
      case "tools/list":
        return {
          tools: [
            ...tools,
            ...this.#extra("tools").map((name) => ({ name, inputSchema: { type: "object" } })),
          ],
        };
      case "tools/call":
        return this.#callTool(String(params["name"]), asGiven(params["arguments"]), call);
      case "prompts/list":
        return { prompts: [greet, ...this.#extra("prompts").map((name) => ({ name }))] };
      case "prompts/get":
        return getPrompt(asGiven(params["arguments"]));
      case "resources/list":
        return {
          resources: [
            { uri: staticUri, name: "static", mimeType: "text/plain" },
            { uri: watchedUri, name: "watched", mimeType: "text/plain" },
            ...this.#extra("resources").map((name) => ({ uri: `memo://${name}`, name })),
          ],
        };
      case "resources/templates/list":
        return { resourceTemplates: [{ uriTemplate: noteTemplate, name: "note" }] };
      case "resources/read":
        return this.#read(String(params["uri"]), call);
      case "completion/complete":
        return complete(asGiven(params["argument"]));
      default:
        throw protocolError(-32601, `There is no ${method}.`);
    }
  }

  async #callTool(name: string, given: JsonObject, call: EraCall): Promise<JsonObject> {
    const key = String(given["key"]);
    switch (name) {
      case "echo":
        return text(String(given["text"]));
      case "count":
        for (const step of [1, 2, 3]) {
          await call.progress(step, 3);
        }
        // Clients of the SDK drop what they read together with the answer, as they do on a busy machine.
        await wait(400);
        return text("counted");
      case "wait":
        this.#waits.set(key, "running");
        await new Promise<void>((resolve) => {
          const end = setTimeout(resolve, 50_000);
          call.signal.addEventListener("abort", () => {
            clearTimeout(end);
            this.#waits.set(key, "cancelled");
            resolve();
          });
        });
        return text("waited");
      case "waited":
        return text(this.#waits.get(key) ?? "unknown");
      case "ask_form":
        return text(
          await ask(call, "form", "elicitation/create", { message: "Who?", requestedSchema: nameForm }),
        );
      case "ask_url":
        return text(
          await ask(call, "url", "elicitation/create", {
            mode: "url",
            message: "Look.",
            url: "https://example.com/look",
            ...(call.version !== "2026-07-28" && { elicitationId: "look-1" }),
          }),
        );
      case "ask_model": {
        const content = { type: "text", text: "Which capital?" };
        return text(
          await ask(call, "model", "sampling/createMessage", {
            messages: [{ role: "user", content }],
            maxTokens: 9,
          }),
        );
      }
      case "ask_roots":
        return text(await ask(call, "roots", "roots/list", {}));
      case "declared":
        return text(JSON.stringify(call.capabilities));
      case "touch":
        this.#touched += 1;
        this.#announce({ uri: watchedUri });
        return text("touched");
      case "change": {
        const list = given["list"];
        if (list !== "tools" && list !== "prompts" && list !== "resources")
          throw protocolError(-32602, "No such list.");
        this.#counts[list] += 1;
        this.#announce({ list });
        return text(`extra_${this.#counts[list]}`);
      }
      case "log":
        await call.log("warning", "It rains.");
        return text("logged");
      case "fail":
        return { ...text("It went wrong."), isError: true };
      default:
        throw protocolError(-32602, `There is no tool ${name}.`);
    }
  }

  #read(uri: string, { version }: EraCall): JsonObject {
    const note = /^memo:\/\/note\/(.+)$/.exec(uri)?.[1];
    const known =
      uri === staticUri
        ? "Always the same."
        : uri === watchedUri
          ? `Touched ${this.#touched} times.`
          : note && `Note ${note}.`;
    if (known) return { contents: [{ uri, mimeType: "text/plain", text: known }] };
    throw protocolError(version === "2026-07-28" ? -32602 : -32002, "There is no such resource.", { uri });
  }

  #extra(list: EraList): readonly string[] {
    return Array.from({ length: this.#counts[list] }, (_, index) => `extra_${index + 1}`);
  }
}

/**
 * Asks what the versions of both sides know and the client can. A client of 2026-07-28 that can't is refused by the SDK, in the words
 * of that version.
 */
async function ask(call: EraCall, key: string, method: string, params: JsonObject): Promise<JsonValue> {
  const isUrl = params["mode"] === "url";
  const since = method !== "elicitation/create" ? "2024-11-05" : isUrl ? "2025-11-25" : "2025-06-18";
  if (call.version < since) throw protocolError(-32603, `${call.version} has no such ${method}.`);
  const capability = call.capabilities[method.split("/")[0] ?? ""];
  const isMissing = capability === undefined || (isUrl && asGiven(capability)["url"] === undefined);
  if (call.version !== "2026-07-28" && isMissing)
    throw protocolError(-32603, `The client can't be asked by ${method}.`);
  return call.ask(key, method, params);
}

const object = (...names: readonly string[]): JsonObject => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
  required: names,
});

const tools: readonly JsonObject[] = [
  { name: "echo", inputSchema: object("text") },
  { name: "wait", inputSchema: object("key") },
  { name: "waited", inputSchema: object("key") },
  { name: "change", inputSchema: object("list") },
  ...["count", "ask_form", "ask_url", "ask_model", "ask_roots", "declared", "touch", "log", "fail"].map(
    (name) => ({
      name,
      inputSchema: object(),
    }),
  ),
];

const greet: JsonObject = { name: "greet", arguments: [{ name: "who", required: true }] };

function getPrompt({ who }: JsonObject): JsonObject {
  if (who === "nobody") throw protocolError(-32050, "Nobody is there to greet.", { hint: "Name somebody." });
  const content = { type: "text", text: `Say hello to ${String(who)}.` };
  return { messages: [{ role: "user", content }] };
}

function complete({ value }: JsonObject): JsonObject {
  const values = ["Ada", "Alan", "Grace"].filter((name) => name.startsWith(String(value)));
  return { completion: { values, total: values.length, hasMore: false } };
}

function text(value: JsonValue): JsonObject {
  return { content: [{ type: "text", text: typeof value === "string" ? value : JSON.stringify(value) }] };
}

function asGiven(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function protocolError(code: number, message: string, data?: JsonObject): Error {
  return Object.assign(new Error(message), { code, ...(data !== undefined && { data }) });
}
