import { beforeEach, describe, expect, test } from "vitest";
import { asObject } from "../../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { KeptResults } from "../../../src/server/mcp/kept-results.ts";
import { createResultLimiter, type ResultReader } from "../../../src/server/mcp/limit-result.ts";
import { principalOf } from "../../principals.ts";

const ada = principalOf("user", "ada");
const reader: ResultReader = {
  principal: ada,
  version: "2026-07-28",
  tool: "search",
  promisesStructure: false,
  isStructureInText: false,
};
let kept: KeptResults;
beforeEach(() => {
  kept = new KeptResults({ keptResultBytes: 100_000, keptResultMilliseconds: 600_000 }, () => 0);
});

const limit = (result: JsonObject, more: Partial<ResultReader> = {}, resultBytes = 10): JsonObject =>
  createResultLimiter({ resultBytes }, kept)(result, { ...reader, ...more });
const text = (value: string): JsonObject => ({ type: "text", text: value });
const blocksOf = (result: JsonObject): readonly JsonObject[] =>
  (Array.isArray(result["content"]) ? result["content"] : []).map(
    (block: JsonValue) => asObject(block) ?? {},
  );
const textsOf = (result: JsonObject): readonly string[] =>
  blocksOf(result).flatMap((block) => (typeof block["text"] === "string" ? [block["text"]] : []));
const linkOf = (result: JsonObject): JsonObject | undefined =>
  blocksOf(result).find(({ type }) => type === "resource_link");
/** The texts that the link of a result leads to. */
function whole(result: JsonObject): readonly string[] | undefined {
  const { uri } = linkOf(result) ?? {};
  return kept.find(String(uri), ada)?.contents.map((content) => content.text.toString());
}

describe("the text of a result", () => {
  test.each([9, 10])("of %i bytes is as it was, where 10 may be given", (length) => {
    const result = { content: [text("x".repeat(length))], isError: false };
    expect(limit(result)).toBe(result);
    expect(kept.bytes).toBe(0);
  });

  test("of more is cut, with a note, and a link to all of it", () => {
    const result = limit({ content: [text("0123456789a")], isError: false });
    const uri = String(linkOf(result)?.["uri"]);
    expect(uri).toMatch(/^gateway:\/\/results\/[0-9a-f-]{36}$/);
    expect(result).toEqual({
      content: [
        text("0123456789"),
        text(
          `[Cut by the gateway: the first 10 of 11 bytes are shown (\`limits.results.size\`). Read the resource ${uri} for all of it within 10 minutes, or ask for less, such as a smaller page or a filter.]`,
        ),
        {
          type: "resource_link",
          uri,
          name: "search result",
          description:
            "All of a result of which a part is shown here. It is there for a while, and for this caller only.",
          mimeType: "text/plain",
          size: 11,
        },
      ],
      isError: false,
      _meta: { "io.gestalt/cut": { bytes: 11, shown: 10, uri } },
    });
    expect(whole(result)).toEqual(["0123456789a"]);
  });

  test.each([
    ["äöüÄÖÜ", "äöüÄÖ", 10],
    ["aäöüÄÖÜ", "aäöüÄ", 9],
    ["€€€€", "€€€", 9],
    ["😀😀😀", "😀😀", 8],
    ["a😀😀😀", "a😀😀", 9],
  ])("%s is cut between characters: %s, %i bytes", (given, shown, bytes) => {
    const result = limit({ content: [text(given)] });
    expect(textsOf(result)[0]).toBe(shown);
    expect(textsOf(result)[1]).toContain(`the first ${bytes} of ${Buffer.byteLength(given)} bytes`);
    expect(whole(result)).toEqual([given]);
  });

  test("counts all blocks together; what is left of each is shown, what is no text stays", () => {
    const image = { type: "image", data: "AAAA".repeat(100), mimeType: "image/png" };
    const result = limit({ content: [text("12345"), image, text("67890ab"), text("cd")] });
    expect(blocksOf(result).slice(0, 3)).toEqual([text("12345"), image, text("67890")]);
    expect(blocksOf(result).map(({ type }) => type)).toEqual([
      "text",
      "image",
      "text",
      "text",
      "resource_link",
    ]);
    expect(whole(result)).toEqual(["12345", "67890ab", "cd"]);
  });

  test("of embedded resources counts; their bytes do not", () => {
    const embedded = (resource: JsonObject): JsonObject => ({ type: "resource", resource });
    const blob = embedded({ uri: "file:///b", blob: "AAAA".repeat(100) });
    const page = embedded({ uri: "file:///a", mimeType: "text/html", text: "<p>0123456789</p>" });
    const result = limit({ content: [blob, page] });
    expect(blocksOf(result).slice(0, 2)).toEqual([
      blob,
      embedded({ uri: "file:///a", mimeType: "text/html", text: "<p>0123456" }),
    ]);
    expect(linkOf(result)).toMatchObject({ mimeType: "text/html" });
  });

  test("of an error is cut as any other", () => {
    const result = limit({ content: [text("No such thing.")], isError: true });
    expect(result).toMatchObject({ isError: true, content: [text("No such th"), {}, {}] });
    expect(asObject(result["_meta"])).not.toHaveProperty("io.gestalt/error");
  });

  test("that can't be kept is cut all the same, and nothing is promised", () => {
    const result = limit({ content: [text("x".repeat(30_000))] });
    expect(linkOf(result)).toBeUndefined();
    expect(textsOf(result)[1]).toBe(
      "[Cut by the gateway: the first 10 of 30000 bytes are shown (`limits.results.size`). Ask for less, such as a smaller page or a filter.]",
    );
    expect(asObject(result["_meta"])?.["io.gestalt/cut"]).toEqual({ bytes: 30_000, shown: 10 });
  });

  test.each(["2024-11-05", "2025-03-26"])("of a client of %s says where all of it is in words", (version) => {
    const result = limit({ content: [text("0123456789a")] }, { version });
    expect(linkOf(result)).toBeUndefined();
    const [, uri = ""] = /Read the resource (\S+) for all of it/.exec(textsOf(result)[1] ?? "") ?? [];
    expect(kept.find(uri, ada)).toBeDefined();
  });
});

describe("the structure of a result", () => {
  const long = { items: ["0123456789", "0123456789"] };

  test.each([
    [9, true],
    [10, true],
    [11, false],
  ])("of %i bytes is there, where 10 may be given: %s", (length, isThere) => {
    const structure = "x".repeat(length - 2);
    const result = limit({ content: [], structuredContent: structure });
    expect("structuredContent" in result).toBe(isThere);
    if (!isThere) expect(whole(result)).toEqual([JSON.stringify(structure)]);
  });

  test("that is too large is left out whole, and the call has succeeded", () => {
    const result = limit({ content: [text("Two.")], structuredContent: long, isError: false });
    expect(result).not.toHaveProperty("structuredContent");
    expect(result).toMatchObject({ isError: false, content: [text("Two."), {}, {}] });
    expect(textsOf(result)[1]).toMatch(/^\[Cut by the gateway: the structured content is left out\. Read /);
    expect(whole(result)).toEqual(["Two.", JSON.stringify(long)]);
  });

  test("that the text holds is not kept twice", () => {
    const json = JSON.stringify(long, null, 2);
    const given = { content: [text(json)], structuredContent: long, isError: false };
    const result = limit(given, { isStructureInText: true });
    expect(whole(result)).toEqual([json]);
    expect(linkOf(result)).toMatchObject({ mimeType: "application/json" });
    expect(textsOf(result)[1]).toContain(
      "bytes are shown (`limits.results.size`), and the structured content is left out. Read",
    );
  });

  test("stays where only the text is too large", () => {
    const given = { content: [text(JSON.stringify(long, null, 10))], structuredContent: long };
    const result = limit(given, { isStructureInText: true, promisesStructure: true }, 60);
    expect(result["structuredContent"]).toBe(long);
    expect(result).not.toHaveProperty("isError");
  });

  test("that the tool promises makes the result an error where it is left out, which says that the call was made", () => {
    const given = { content: [text("Two of them.")], structuredContent: long, isError: false };
    const result = limit(given, { promisesStructure: true });
    expect(result).not.toHaveProperty("structuredContent");
    expect(result).toMatchObject({
      isError: true,
      _meta: { "io.gestalt/error": { code: "answer_too_large", retryable: false } },
    });
    expect(textsOf(result)[0]).toMatch(
      /^The call was carried out; do not make it again only because of this\. .*`limits\.results\.size`/,
    );
    expect(textsOf(result)[1]).toBe("Two of the");
    expect(whole(result)).toEqual(["Two of them.", JSON.stringify(long)]);
    // Clients of before know no such promise.
    expect(limit(given, { promisesStructure: true, version: "2025-03-26" })).toMatchObject({
      isError: false,
    });
  });

  test("of very many small values is found to be too large", () => {
    const structure = Array.from({ length: 300_000 }, () => 1);
    expect(limit({ content: [], structuredContent: structure }, {}, 1_000_000)).toHaveProperty(
      "structuredContent",
    );
    expect(limit({ content: [], structuredContent: structure }, {}, 600_000)).not.toHaveProperty(
      "structuredContent",
    );
  });
});
