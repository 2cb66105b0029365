import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { EraClient, Heard } from "./era-clients.ts";
import { nameForm, noteTemplate, staticUri, watchedUri } from "./era-subject.ts";

/** How a client names what an upstream has: as it is, or as the gateway offers it. */
export interface EraNames {
  readonly member: (name: string) => string;
  readonly uri: (uri: string) => string;
}

/** One thing that a client and an upstream do together. */
export interface EraJob {
  readonly name: string;
  /** The first version that has it; absent: all of them. */
  readonly since?: string;
  /** The capability that the client must declare, and does from `since` on; absent: none. */
  readonly asks?: "elicitation" | "sampling" | "roots";
  /** It waits more than it works, so that many can go on side by side. */
  readonly waits?: true;
  readonly run: (client: EraClient, names: EraNames) => Promise<void>;
}

/** Calls a tool and gives the text of its result. */
export async function callText(
  client: EraClient,
  tool: string,
  given: JsonObject = {},
  options: Parameters<EraClient["request"]>[2] = {},
): Promise<string> {
  const result = await client.request("tools/call", { name: tool, arguments: given }, options);
  const [first] = members(result, "content");
  const text = String(first?.["text"]);
  expect(result["isError"] ?? false, text).toBe(false);
  return text;
}

/** A tool that asks the client something, and what the client is then asked. */
function asking(tool: string, method: string, params: JsonObject, answer: JsonObject): EraJob["run"] {
  return async (client, { member }) => {
    const before = client.asked.length;
    const answered: JsonValue = JSON.parse(await callText(client, member(tool)));
    expect(answered).toMatchObject(answer);
    const asked = client.asked.slice(before);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method, params });
  };
}

/** Lists again whenever the client is told to, and at no other time, until what was added is there. */
function changing(list: "tools" | "prompts" | "resources"): EraJob["run"] {
  return async (client, { member, uri }) => {
    const stop = await client.watch();
    try {
      let heard = client.told.length;
      const added = await callText(client, member("change"), { list });
      const name = list === "resources" ? uri(`memo://${added}`) : member(added);
      const isListed = async (): Promise<boolean> => {
        await until(() => hears(client, heard, `notifications/${list}/list_changed`));
        heard = client.told.length;
        const listed = members(await client.request(`${list}/list`), list);
        return listed.some((entry) => entry[list === "resources" ? "uri" : "name"] === name);
      };
      while (!(await isListed()));
    } finally {
      await stop();
    }
  };
}

/** All that the matrix does, in every cell. */
export const eraJobs: readonly EraJob[] = [
  {
    name: "call",
    run: async (client, { member }) => {
      const listed = members(await client.request("tools/list"), "tools").map(({ name }) => name);
      expect(listed).toContain(member("echo"));
      expect(await callText(client, member("echo"), { text: "Grüße" })).toBe("Grüße");
    },
  },
  {
    name: "progress",
    run: async (client, { member }) => {
      const seen: (number | undefined)[][] = [];
      const onProgress = (progress: number, total: number | undefined) => void seen.push([progress, total]);
      expect(await callText(client, member("count"), {}, { onProgress })).toBe("counted");
      expect(seen).toEqual([
        [1, 3],
        [2, 3],
        [3, 3],
      ]);
    },
  },
  {
    name: "elicitation, form",
    since: "2025-06-18",
    asks: "elicitation",
    run: asking(
      "ask_form",
      "elicitation/create",
      { message: "Who?", requestedSchema: nameForm },
      { action: "accept", content: { name: "Ada" } },
    ),
  },
  {
    name: "elicitation, URL",
    since: "2025-11-25",
    asks: "elicitation",
    run: asking(
      "ask_url",
      "elicitation/create",
      { mode: "url", message: "Look.", url: "https://example.com/look" },
      { action: "accept" },
    ),
  },
  {
    name: "sampling",
    asks: "sampling",
    run: asking(
      "ask_model",
      "sampling/createMessage",
      { maxTokens: 9, messages: [{ role: "user", content: { type: "text", text: "Which capital?" } }] },
      { model: "test", content: { type: "text", text: "Paris" } },
    ),
  },
  {
    name: "roots",
    asks: "roots",
    run: asking("ask_roots", "roots/list", {}, { roots: [{ uri: "file:///home/ada", name: "home" }] }),
  },
  {
    name: "resource read",
    run: async (client, { uri }) => {
      const listed = members(await client.request("resources/list"), "resources");
      expect(listed.map((entry) => entry["uri"])).toContain(uri(staticUri));
      const [content] = members(await client.request("resources/read", { uri: uri(staticUri) }), "contents");
      expect(content).toMatchObject({ uri: uri(staticUri), text: "Always the same." });
    },
  },
  {
    name: "resource template",
    run: async (client, { uri }) => {
      const result = await client.request("resources/templates/list");
      const templates = members(result, "resourceTemplates").map((entry) => entry["uriTemplate"]);
      expect(templates).toContain(uri(noteTemplate));
      const note = uri("memo://note/7");
      const [content] = members(await client.request("resources/read", { uri: note }), "contents");
      expect(content).toMatchObject({ uri: note, text: "Note 7." });
    },
  },
  {
    name: "resource subscribe",
    run: async (client, { member, uri }) => {
      const watched = uri(watchedUri);
      const stop = await client.watch(watched);
      try {
        const before = client.told.length;
        await callText(client, member("touch"));
        await until(() => hears(client, before, "notifications/resources/updated"));
        const updates = client.told.slice(before).filter(isUpdate);
        for (const { params } of updates) expect(params["uri"]).toBe(watched);
      } finally {
        await stop();
      }
    },
  },
  { name: "tools/list_changed", waits: true, run: changing("tools") },
  { name: "prompts/list_changed", waits: true, run: changing("prompts") },
  { name: "resources/list_changed", waits: true, run: changing("resources") },
  {
    name: "completion",
    run: async (client, { member, uri }) => {
      const references: readonly JsonObject[] = [
        { type: "ref/prompt", name: member("greet") },
        { type: "ref/resource", uri: uri(noteTemplate) },
      ];
      for (const ref of references) {
        const argument = { name: ref["type"] === "ref/prompt" ? "who" : "id", value: "A" };
        const result = await client.request("completion/complete", { ref, argument });
        expect(asObject(result["completion"])?.["values"]).toEqual(["Ada", "Alan"]);
      }
    },
  },
  {
    name: "prompts",
    run: async (client, { member }) => {
      const listed = members(await client.request("prompts/list"), "prompts").map(({ name }) => name);
      expect(listed).toContain(member("greet"));
      const result = await client.request("prompts/get", {
        name: member("greet"),
        arguments: { who: "Ada" },
      });
      expect(result["messages"]).toEqual([
        { role: "user", content: { type: "text", text: "Say hello to Ada." } },
      ]);
    },
  },
  {
    name: "logging",
    run: async (client, { member }) => {
      const before = client.told.length;
      expect(await callText(client, member("log"), {}, { logLevel: "info" })).toBe("logged");
      await until(() => hears(client, before, "notifications/message"));
      const message = client.told.slice(before).find(({ method }) => method === "notifications/message");
      expect(message?.params).toMatchObject({ level: "warning", data: "It rains." });
    },
  },
  {
    name: "errors",
    run: async (client, { member, uri }) => {
      const failed = await client.request("tools/call", { name: member("fail"), arguments: {} });
      expect(failed).toMatchObject({ isError: true, content: [{ type: "text", text: "It went wrong." }] });

      const prompt = { name: member("greet"), arguments: { who: "nobody" } };
      await expect(client.request("prompts/get", prompt)).rejects.toMatchObject({
        code: -32050,
        message: expect.stringContaining("Nobody is there to greet."),
      });
      await expect(client.request("resources/read", { uri: uri("memo://missing") })).rejects.toMatchObject({
        code: client.version === "2026-07-28" ? -32602 : -32002,
      });
      await expect(
        client.request("tools/call", { name: member("unknown"), arguments: {} }),
      ).rejects.toMatchObject({ code: -32602 });
    },
  },
  // Last: on a stream for all calls, what an upstream asks is nobody's for a while after one was cancelled.
  {
    name: "cancel",
    run: async (client, { member }) => {
      const key = crypto.randomUUID();
      const leaving = new AbortController();
      const call = callText(client, member("wait"), { key }, { signal: leaving.signal }).catch(() => "left");
      const state = () => callText(client, member("waited"), { key });
      await until(async () => (await state()) === "running");
      leaving.abort();
      expect(await call).toBe("left");
      await until(async () => (await state()) === "cancelled");
    },
  },
];

function hears(client: EraClient, before: number, method: string): boolean {
  return client.told.slice(before).some((heard) => heard.method === method);
}

function isUpdate({ method }: Heard): boolean {
  return method === "notifications/resources/updated";
}

function members(result: JsonObject, name: string): readonly JsonObject[] {
  const list = result[name];
  return Array.isArray(list) ? list.map(asObject).filter((entry) => entry !== undefined) : [];
}

/** Waits until something is so; the limit only catches what never is. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 1000; left > 0; left -= 1) {
    if (await isSo()) return;
    await wait(20);
  }
  throw new Error(`It never comes to this: ${isSo}`);
}
