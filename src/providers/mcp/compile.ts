import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { isNestedDeeperThan } from "../../json/nesting.ts";
import { asObject, isJsonObject } from "../../json-object.ts";
import { type InspectionAllowance, inspectSchema } from "../../json-schema/inspect-schema.ts";
import { readParameterHeaders, valueKeywords } from "../../mcp/parameter-headers.ts";
import type { Operation, ToolAnnotations } from "../../model/catalog.ts";
import type { McpSurface } from "../../model/config.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { shareThread } from "../share-thread.ts";
import { quoteUpstream, stripHidden } from "../strip-hidden.ts";
import { cleanExtras } from "./clean-entry.ts";

const maxToolCharacters = 256 * 1024;
const maxSchemaDepth = 100;
const maxNameCharacters = 256;
/** Tools whose loss is told one by one, and findings in schemas; a server may list thousands. */
const maxTold = 100;
/** Of all inspections of one list together, about half a second; what they cost beyond is more than their warnings are worth. */
const inspectionSteps = 5_000_000;

/** What a list of tools compiles to. */
export interface CompiledTools {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles the tools of an upstream MCP server, in its order. Schemas and annotations stay as they are but for hidden
 * characters in texts; nothing else that the upstream says of a tool (`_meta`, icons) is taken over.
 *
 * A tool that is larger than 256 KB, nested deeper than 100 levels, not valid or only callable as a task is dropped with a warning, and so are all
 * tools of one name. Other work of the thread has its turn between two tools: a list may be long, and each of its schemas costly.
 */
export async function compileTools(tools: readonly JsonValue[], surface: McpSurface): Promise<CompiledTools> {
  const giveWay = shareThread();
  const compiled: Compiled[] = [];
  for (const tool of tools) {
    compiled.push(compileTool(tool, surface));
    await giveWay();
  }
  const names = new Map<string, number>();
  for (const entry of compiled) {
    if (entry.ok) names.set(entry.operation.id, (names.get(entry.operation.id) ?? 0) + 1);
  }
  const operations: Operation[] = [];
  const findings: Diagnostic[] = [];
  const dropped: Diagnostic[] = [];
  const allowance: InspectionAllowance = { steps: inspectionSteps };
  const drop = (message: string): void => {
    dropped.push({ severity: "warning", code: "operation-dropped", message, place: surface.place });
  };
  for (const entry of compiled) {
    if (!entry.ok) {
      drop(entry.reason);
    } else if (names.get(entry.operation.id) === 1) {
      operations.push(entry.operation);
      findings.push(...describeSchemaProblems(entry.operation, surface, allowance));
      await giveWay();
    }
  }
  for (const [name, count] of names) {
    if (count > 1) drop(`The MCP server lists ${count} tools named \`${name}\`; none of them is offered.`);
  }
  const diagnostics = [...limitTold(dropped, "tools left out"), ...limitTold(findings, "remarks on schemas")];
  return { operations, diagnostics };
}

function limitTold(told: readonly Diagnostic[], what: string): readonly Diagnostic[] {
  const [last] = told.slice(maxTold);
  if (last === undefined) return told;
  const message = `The MCP server gives reason for ${told.length - maxTold} more ${what}, which are not listed.`;
  return [...told.slice(0, maxTold), { ...last, message }];
}

/** Only these keywords can ask what a check can't enforce; most schemas have none of them. */
const inspected = /"(?:\$ref|\$dynamicRef|pattern|patternProperties)"/;

function describeSchemaProblems(
  { id, inputSchema }: Operation,
  surface: McpSurface,
  allowance: InspectionAllowance,
): readonly Diagnostic[] {
  if (allowance.steps <= 0 || !inspected.test(JSON.stringify(inputSchema))) return [];
  return inspectSchema(inputSchema, { allowance }).map(({ path, message }) => ({
    severity: "warning",
    code: "operation-degraded",
    message: `The input schema of the MCP server's tool \`${id}\` (at \`${path}\`): ${message}`,
    place: surface.place,
  }));
}

type Compiled =
  | { readonly ok: true; readonly operation: Operation }
  | { readonly ok: false; readonly reason: string };

function compileTool(listed: JsonValue, surface: McpSurface): Compiled {
  const name = isJsonObject(listed) ? listed["name"] : undefined;
  if (!isJsonObject(listed) || typeof name !== "string") {
    return { ok: false, reason: "The MCP server lists a tool without a name; it is left out." };
  }
  const text = JSON.stringify(listed);
  const id = stripHidden(name);
  const fault = findTextFault(text, id) ?? findFault(listed);
  if (fault !== undefined) {
    const shown = quoteUpstream(name).slice(0, 64);
    return { ok: false, reason: `The tool \`${shown}\` of the MCP server is left out: ${fault}.` };
  }
  // Messages keep numbers as they are written; here they become numbers, as whoever reads a schema expects.
  const tool: JsonObject = JSON.parse(text);
  const annotations = asObject(tool["annotations"]) ?? {};
  const outputSchema = asObject(tool["outputSchema"]);
  const extras = cleanExtras(tool);
  return {
    ok: true,
    operation: {
      id,
      method: "tool",
      path: name,
      tags: [],
      deprecated: false,
      title: readText(tool["title"]) ?? readText(annotations["title"]),
      description: readText(tool["description"]) ?? "",
      inputSchema: completeRoot(cleanTexts(asObject(tool["inputSchema"]) ?? {})),
      outputSchema: outputSchema === undefined ? undefined : cleanTexts(outputSchema),
      annotations: readAnnotations(annotations),
      ...(extras !== undefined && { extras }),
      binding: { kind: "mcp", tool: name },
      connection: surface.connection,
      place: undefined,
    },
  };
}

function findTextFault(text: string, id: string): string | undefined {
  if (id.trim() === "") return "its name is empty";
  if (id.length > maxNameCharacters) return `its name has more than ${maxNameCharacters} characters`;
  if (text.length > maxToolCharacters) return "it is larger than 256 KB";
  return isNestedDeeperThan(text, maxSchemaDepth)
    ? `it is nested deeper than ${maxSchemaDepth} levels`
    : undefined;
}

function findFault(tool: JsonObject): string | undefined {
  const inputSchema = asObject(tool["inputSchema"]) ?? {};
  const type = inputSchema["type"];
  if (type !== undefined && type !== "object") return "its arguments are not an object";
  for (const schema of [inputSchema, tool["outputSchema"] ?? {}]) {
    if (hasHiddenName(schema)) return "its schema has names with hidden characters";
  }
  if (asObject(tool["execution"])?.["taskSupport"] === "required")
    return "it only runs as a task, and tasks are not passed on";
  const headers = readParameterHeaders(inputSchema);
  return headers.ok ? undefined : headers.fault;
}

/** Missing hints have the defaults of MCP: the worst is assumed. */
function readAnnotations(annotations: JsonObject): ToolAnnotations {
  const read = (name: keyof ToolAnnotations, otherwise: boolean): boolean => {
    const value = annotations[name];
    return typeof value === "boolean" ? value : otherwise;
  };
  return {
    readOnlyHint: read("readOnlyHint", false),
    destructiveHint: read("destructiveHint", true),
    idempotentHint: read("idempotentHint", false),
    openWorldHint: read("openWorldHint", true),
  };
}

function readText(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? stripHidden(value) : undefined;
}

/** Clients rely on `type: object` and `properties` at the root; some servers leave them out. */
function completeRoot(schema: JsonSchema): JsonSchema {
  return { ...schema, type: "object", properties: asObject(schema["properties"]) ?? {} };
}

const textKeywords: ReadonlySet<string> = new Set(["title", "description", "$comment"]);

/** The schema without hidden characters in what people and models read. */
function cleanTexts(schema: JsonObject): JsonObject {
  const members = Object.entries(schema).map(([name, value]): [string, JsonValue] => {
    if (typeof value === "string" && textKeywords.has(name)) return [name, stripHidden(value)];
    return [name, valueKeywords.has(name) ? value : cleanMember(value)];
  });
  return Object.fromEntries(members);
}

function cleanMember(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(cleanMember);
  return isJsonObject(value) ? cleanTexts(value) : value;
}

function hasHiddenName(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(hasHiddenName);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([name, member]) => stripHidden(name) !== name || hasHiddenName(member));
}
