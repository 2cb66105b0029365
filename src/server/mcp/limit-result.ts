import { asObject, isJsonObject } from "../../json-object.ts";
import { isAtLeast } from "../../mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { cutText } from "./cut-text.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import type { KeptContent, KeptResult, KeptResults } from "./kept-results.ts";
import type { McpLimits } from "./limits.ts";
import type { CallerIdentity } from "./same-caller.ts";

/** Whose result it is, and how it is read. */
export interface ResultReader {
  readonly principal: CallerIdentity;
  /** The version that the client speaks. */
  readonly version: string;
  /** The tool, as clients know it. */
  readonly tool: string;
  /** Whether it was listed with an output schema: clients refuse a result without the structure that this promises. */
  readonly promisesStructure: boolean;
  /** Whether the text holds all that the structure does. */
  readonly isStructureInText: boolean;
}

/** Cuts what is more than a model is given at once. */
export type LimitResult = (result: JsonObject, reader: ResultReader) => JsonObject;

/** Most bytes that a character of a text, as JSON has it, may take. */
const longestCharacter = 6;

/**
 * Makes what cuts results: their text and their structure to so many bytes each. The whole is kept for the same caller, and a link leads
 * to it; images, sounds and files are no text and stay. A structure that is too large is left out whole, since half of one is none; where
 * the tool's output schema promises it, the result is an error then, because clients throw away any other one without it.
 */
export function createResultLimiter(limits: Pick<McpLimits, "resultBytes">, kept: KeptResults): LimitResult {
  return (result, reader) => {
    const { content, structuredContent: structure } = result;
    const blocks = Array.isArray(content) ? content : [];
    const most = limits.resultBytes;
    const isTextLong = isLongerThan(blocks, most);
    const isStructureLong =
      structure !== undefined && (isTextLong || !reader.isStructureInText) && isLargerThan(structure, most);
    if (!isTextLong && !isStructureLong) return result;
    return cut(result, blocks, { most, isStructureLong }, reader, kept);
  };
}

interface Excess {
  readonly most: number;
  readonly isStructureLong: boolean;
}

function cut(
  { structuredContent: structure, ...result }: JsonObject,
  blocks: readonly JsonValue[],
  { most, isStructureLong }: Excess,
  reader: ResultReader,
  results: KeptResults,
): JsonObject {
  const contents = contentsOf(blocks, structure !== undefined && reader.isStructureInText);
  const bytes = contents.reduce((sum, { text }) => sum + text.length, 0);
  if (isStructureLong && !reader.isStructureInText)
    contents.push({ mimeType: "application/json", text: Buffer.from(JSON.stringify(structure)) });
  const whole = results.keep(reader.principal, reader.tool, contents);
  const { shown, kept: left } = cutBlocks(blocks, most);
  const isBroken = isStructureLong && reader.promisesStructure && isAtLeast(reader.version, "2025-06-18");
  const isFailed = isBroken && result["isError"] !== true;
  const notes = [
    shown < bytes ? `the first ${shown} of ${bytes} bytes are shown (\`limits.results.size\`)` : undefined,
    isStructureLong ? "the structured content is left out" : undefined,
  ].filter((note) => note !== undefined);
  const note = `[Cut by the gateway: ${notes.join(", and ")}. ${remedyOf(whole)}]`;
  return {
    ...result,
    content: [
      ...(isFailed ? [{ type: "text", text: explainFailure(most) }] : []),
      ...left,
      { type: "text", text: note },
      ...(whole !== undefined && isAtLeast(reader.version, "2025-06-18") ? [linkTo(whole)] : []),
    ],
    ...(structure !== undefined && !isStructureLong && { structuredContent: structure }),
    ...(isFailed && { isError: true }),
    _meta: {
      ...asObject(result["_meta"]),
      [gatewayMetaKeys.cut]: { bytes, shown, ...(whole !== undefined && { uri: whole.uri }) },
      ...(isFailed && { [gatewayMetaKeys.error]: { code: "answer_too_large", retryable: false } }),
    },
  };
}

function explainFailure(most: number): string {
  return `The call was carried out; do not make it again only because of this. Its result is larger than the ${most} bytes that the gateway passes on at once (\`limits.results.size\`), so that the structured content which this tool promises is left out, and the result counts as an error. Its beginning follows.`;
}

function remedyOf(whole: KeptResult | undefined): string {
  const less = "sk for less, such as a smaller page or a filter.";
  if (whole === undefined) return `A${less}`;
  return `Read the resource ${whole.uri} for all of it within ${inWords(whole.milliseconds)}, or a${less}`;
}

function inWords(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes > 1) return `${minutes} minutes`;
  return `${Math.max(1, Math.floor(milliseconds / 1_000))} seconds`;
}

function linkTo({ uri, tool, contents }: KeptResult): JsonObject {
  const [first] = contents;
  return {
    type: "resource_link",
    uri,
    name: `${tool} result`,
    description:
      "All of a result of which a part is shown here. It is there for a while, and for this caller only.",
    ...(contents.length === 1 && first !== undefined && { mimeType: first.mimeType }),
    size: contents.reduce((sum, { text }) => sum + text.length, 0),
  };
}

/** The text of a block, and its place in it; `undefined` for blocks that have none. */
function textOf(block: JsonValue): { readonly text: string; readonly mimeType: JsonValue } | undefined {
  if (!isJsonObject(block)) return undefined;
  const { type, text, resource } = block;
  if (type === "text" && typeof text === "string") return { text, mimeType: "text/plain" };
  if (type !== "resource") return undefined;
  const { text: own, mimeType = "text/plain" } = asObject(resource) ?? {};
  return typeof own === "string" ? { text: own, mimeType } : undefined;
}

function withText(block: JsonValue, text: string): JsonValue {
  if (!isJsonObject(block)) return block;
  return block["type"] === "resource"
    ? { ...block, resource: { ...asObject(block["resource"]), text } }
    : { ...block, text };
}

/** All texts of a result. */
function contentsOf(blocks: readonly JsonValue[], isJson: boolean): KeptContent[] {
  const found = blocks.map(textOf).filter((text) => text !== undefined);
  return found.map(({ text, mimeType }, at) => ({
    mimeType:
      isJson && at === 0 ? "application/json" : typeof mimeType === "string" ? mimeType : "text/plain",
    text: Buffer.from(text, "utf8"),
  }));
}

/** The blocks with no more than so many bytes of text; those of which nothing is left are dropped. */
function cutBlocks(
  blocks: readonly JsonValue[],
  most: number,
): { readonly shown: number; readonly kept: readonly JsonValue[] } {
  let shown = 0;
  const kept = blocks.flatMap((block) => {
    const own = textOf(block);
    if (own === undefined) return [block];
    const text = cutText(own.text, most - shown);
    shown += Buffer.byteLength(text);
    if (text === own.text) return [block];
    return text === "" ? [] : [withText(block, text)];
  });
  return { shown, kept };
}

/** Whether the texts of blocks have more than so many bytes of UTF-8; counts them only where it is not clear without. */
function isLongerThan(blocks: readonly JsonValue[], most: number): boolean {
  let characters = 0;
  for (const block of blocks) characters += textOf(block)?.text.length ?? 0;
  if (characters * 3 <= most) return false;
  if (characters > most) return true;
  return blocks.reduce<number>((sum, block) => sum + Buffer.byteLength(textOf(block)?.text ?? ""), 0) > most;
}

/** Whether a value has more than so many bytes as JSON; writes it only where that is not clear without. */
function isLargerThan(value: JsonValue, most: number): boolean {
  return !isWithin(value, most) && Buffer.byteLength(JSON.stringify(value)) > most;
}

/** True for what is certain to have no more bytes; what is nested too deep to look at is not certain. */
function isWithin(value: JsonValue, most: number): boolean {
  let left = most;
  const look = (part: JsonValue, depth: number): boolean => {
    if (typeof part === "string") left -= part.length * longestCharacter + 3;
    else if (typeof part !== "object" || part === null) left -= 26;
    else if (depth > 100) return false;
    else if (isJsonObject(part)) {
      left -= 3;
      for (const name in part) {
        left -= name.length * longestCharacter + 4;
        const member = part[name];
        if (left < 0 || (member !== undefined && !look(member, depth + 1))) return false;
      }
    } else {
      left -= 3;
      for (const item of part) if (left < 0 || !look(item, depth + 1)) return false;
    }
    return left >= 0;
  };
  return look(value, 0);
}
