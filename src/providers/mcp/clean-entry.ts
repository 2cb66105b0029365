import { isJsonObject } from "../../json-object.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { stripHidden } from "../strip-hidden.ts";

/** Makes a member what clients read, or nothing. */
type Clean = (value: JsonValue) => JsonValue | undefined;

const text: Clean = (value) => (typeof value === "string" ? value : undefined);
const number: Clean = (value) => (typeof value === "number" ? value : undefined);
const boolean: Clean = (value) => (typeof value === "boolean" ? value : undefined);
const object: Clean = (value) => (isJsonObject(value) ? value : undefined);

function oneOf(...allowed: readonly string[]): Clean {
  return (value) => (typeof value === "string" && allowed.includes(value) ? value : undefined);
}

function listOf(clean: Clean): Clean {
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    return value.map(clean).filter((item) => item !== undefined);
  };
}

/** An object whose known members are what they should be, and which has those that it must have; others stay. */
function shape(members: Readonly<Record<string, Clean>>, required: readonly string[] = []): Clean {
  return (value) => {
    if (!isJsonObject(value)) return undefined;
    const kept = Object.entries(value).flatMap(([name, member]): [string, JsonValue][] => {
      const clean = Object.hasOwn(members, name) ? members[name] : undefined;
      const cleaned = clean === undefined ? member : clean(member);
      return cleaned === undefined ? [] : [[name, cleaned]];
    });
    return required.every((name) => kept.some(([known]) => known === name))
      ? Object.fromEntries(kept)
      : undefined;
  };
}

/** MCP 2025-11-25, icons: an image of the web or the image itself, and no scripts or files. */
const picture: Clean = (value) =>
  typeof value === "string" && /^(?:https?:\/\/|data:image\/)/i.test(value) ? value : undefined;

const icons = listOf(
  shape({ src: picture, mimeType: text, sizes: listOf(text), theme: oneOf("light", "dark") }, ["src"]),
);

const annotations = shape({
  audience: listOf(oneOf("user", "assistant")),
  priority: (value) => (typeof value === "number" && value >= 0 && value <= 1 ? value : undefined),
  lastModified: text,
});

const common = { name: text, title: text, description: text, icons, _meta: object };
const located = { ...common, mimeType: text, annotations };

/** The members of MCP 2026-07-28 (`Prompt`, `Resource`, `ResourceTemplate`), which are those of earlier versions and more. */
const shapes = {
  prompts: shape({
    ...common,
    arguments: listOf(shape({ name: text, title: text, description: text, required: boolean }, ["name"])),
  }),
  resources: shape({ ...located, uri: text, size: number }),
  templates: shape({ ...located, uriTemplate: text }),
} as const satisfies Record<string, Clean>;

/** An entry of a list as clients can read it: one member of a wrong type makes some refuse the list as a whole. */
export function cleanEntry(entry: JsonObject, list: keyof typeof shapes, id: string): JsonObject {
  const cleaned = shapes[list](stripTexts(entry));
  // What has no name of its own is called by its URI: clients need one.
  return { name: id, ...(isJsonObject(cleaned) ? cleaned : {}) };
}

/** What clients are told of a tool besides what the gateway itself reads; `undefined`: nothing. */
export function cleanExtras(tool: JsonObject): JsonObject | undefined {
  const { icons: pictures, _meta } = withoutReservedMeta(stripTexts(tool));
  const cleaned = shape({ icons, _meta: object })({
    ...(pictures !== undefined && { icons: pictures }),
    ...(_meta !== undefined && { _meta }),
  });
  return isJsonObject(cleaned) && Object.keys(cleaned).length > 0 ? cleaned : undefined;
}

/** True when a name that clients send back has characters that nobody sees. */
export function hasHiddenNames(entry: JsonObject): boolean {
  const { arguments: declared } = entry;
  const names = Array.isArray(declared)
    ? declared.map((argument) => (isJsonObject(argument) ? argument["name"] : undefined))
    : [];
  return names.some((name) => typeof name === "string" && stripHidden(name) !== name) || hasHiddenKey(entry);
}

/** True when a name anywhere in a value has characters that nobody sees. */
export function hasHiddenKey(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(hasHiddenKey);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([key, member]) => stripHidden(key) !== key || hasHiddenKey(member));
}

/** The object without hidden characters in its texts, names aside; the same one where it has none: numbers may be kept as they were written. */
export function stripTexts(value: JsonObject): JsonObject {
  const members = Object.entries(value).map(([name, member]) => [name, strip(member)] as const);
  return members.every(([name, member]) => member === value[name]) ? value : Object.fromEntries(members);
}

function strip(value: JsonValue): JsonValue {
  if (typeof value === "string") return stripHidden(value);
  if (!Array.isArray(value)) return isJsonObject(value) ? stripTexts(value) : value;
  const items = value.map(strip);
  return items.every((item, index) => item === value[index]) ? value : items;
}
