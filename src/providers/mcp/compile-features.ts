import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { isNestedDeeperThan } from "../../json/nesting.ts";
import { isJsonObject } from "../../json-object.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import type { McpSurface } from "../../model/config.ts";
import type { ListedFeature } from "../../model/features.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { shareThread } from "../share-thread.ts";
import { quoteUpstream, stripHidden } from "../strip-hidden.ts";
import { cleanEntry, hasHiddenNames } from "./clean-entry.ts";
import { type ListKind, listMethods } from "./list-kinds.ts";

const maxEntryCharacters = 256 * 1024;
const maxDepth = 100;
const maxNameCharacters = 256;
const maxUriCharacters = 4_096;
/** Most entries of one list whose loss is told one by one. */
const maxTold = 10;
/** RFC 3986, section 3.1. A template must show it too, or nobody could tell whose it is. */
const scheme = /^[a-z][a-z0-9+.-]*:/i;

/** What of an upstream's features has a list of its own. */
export type FeatureList = Exclude<ListKind, "tools">;

/** What a list of prompts, resources or templates compiles to. */
export interface CompiledFeatures {
  readonly features: readonly ListedFeature[];
  readonly diagnostics: readonly Diagnostic[];
}

const idMembers: Readonly<Record<FeatureList, string>> = {
  prompts: "name",
  resources: "uri",
  templates: "uriTemplate",
};

/**
 * Compiles what an upstream MCP server lists besides tools, in its order. Entries stay as they are but for hidden characters, members
 * of a wrong type, with which clients would refuse the whole list, and `_meta` that the protocol keeps for itself.
 *
 * An entry is left out with a warning when it has no usable name or URI, is larger than 256 KB or nested deeper than 100 levels; of
 * several with one name the first counts. Other work of the thread has its turn between two entries.
 */
export async function compileFeatures(
  entries: readonly JsonValue[],
  list: FeatureList,
  surface: McpSurface,
): Promise<CompiledFeatures> {
  const giveWay = shareThread();
  const features = new Map<string, ListedFeature>();
  const dropped: string[] = [];
  for (const entry of entries) {
    const compiled = compileFeature(entry, list);
    if (!compiled.ok) dropped.push(compiled.reason);
    else if (features.has(compiled.feature.id)) {
      dropped.push(`it lists \`${show(compiled.feature.id)}\` more than once, and the first one counts`);
    } else features.set(compiled.feature.id, compiled.feature);
    await giveWay();
  }
  const { entries: nouns } = listMethods[list];
  const told = dropped.slice(0, maxTold);
  if (dropped.length > maxTold) told.push(`${dropped.length - maxTold} more entries are left out`);
  const diagnostics = told.map(
    (reason): Diagnostic => ({
      severity: "warning",
      code: "operation-dropped",
      message: `The MCP server's list of ${nouns}: ${reason}.`,
      place: surface.place,
    }),
  );
  return { features: [...features.values()], diagnostics };
}

type Compiled =
  | { readonly ok: true; readonly feature: ListedFeature }
  | { readonly ok: false; readonly reason: string };

function compileFeature(entry: JsonValue, list: FeatureList): Compiled {
  const member = idMembers[list];
  const id = isJsonObject(entry) ? entry[member] : undefined;
  if (!isJsonObject(entry) || typeof id !== "string" || id.trim() === "") {
    return { ok: false, reason: `an entry without \`${member}\` is left out` };
  }
  const text = JSON.stringify(entry);
  const fault = findIdFault(id, list) ?? findTextFault(text);
  if (fault !== undefined) return { ok: false, reason: `\`${show(id)}\` is left out: ${fault}` };
  // Messages keep numbers as they are written; here they become numbers, as whoever reads a list expects.
  const listed: JsonObject = withoutReservedMeta(JSON.parse(text));
  if (hasHiddenNames(listed)) {
    return { ok: false, reason: `\`${show(id)}\` is left out: it has names with hidden characters` };
  }
  return { ok: true, feature: { id, listed: cleanEntry(listed, list, id) } };
}

function findIdFault(id: string, list: FeatureList): string | undefined {
  if (stripHidden(id) !== id || /[\n\t]/.test(id)) {
    return `its ${list === "prompts" ? "name" : "URI"} has hidden characters`;
  }
  if (list === "prompts") {
    return id.length > maxNameCharacters
      ? `its name has more than ${maxNameCharacters} characters`
      : undefined;
  }
  if (id.length > maxUriCharacters) return `its URI has more than ${maxUriCharacters} characters`;
  return scheme.test(id) ? undefined : "its URI does not begin with a scheme";
}

function findTextFault(text: string): string | undefined {
  if (text.length > maxEntryCharacters) return "it is larger than 256 KB";
  return isNestedDeeperThan(text, maxDepth) ? `it is nested deeper than ${maxDepth} levels` : undefined;
}

function show(id: string): string {
  return quoteUpstream(id).slice(0, 100).toWellFormed();
}
