import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText } from "./json-view.ts";
import type { ApiContent, ApiOperation, ApiParameter, DocumentPath, Report } from "./model.ts";
import { pointerOf, type ReferenceResolver, type TracedReference } from "./resolve-reference.ts";
import { shorten } from "./shorten.ts";

/** What every version needs to read one operation. */
export interface OperationSource {
  readonly root: JsonObject;
  readonly pathItem: JsonObject;
  readonly pathItemAt: DocumentPath;
  /** As it is sent. */
  readonly method: string;
  readonly operation: JsonObject;
  readonly at: DocumentPath;
  readonly path: string;
  readonly shared: SharedParts;
}

/** What was made of the targets of references: the same few are part of thousands of operations. */
export interface SharedParts {
  readonly parameters: WeakMap<JsonObject, ApiParameter>;
  readonly contents: WeakMap<JsonObject, readonly ApiContent[]>;
}

/** Makes a part of what is written in a place; of the target of references once. */
export function readOnce<Part>(
  known: WeakMap<JsonObject, Part>,
  { value, isTarget }: TracedReference,
  read: () => Part | undefined,
): Part | undefined {
  if (!isTarget) return read();
  const part = known.get(value) ?? read();
  if (part !== undefined) known.set(value, part);
  return part;
}

/** What depends on the version: everything between the operation's head and its schemas. */
export type OperationDetails = Pick<
  ApiOperation,
  "parameters" | "body" | "responses" | "servers" | "keyParameters" | "notes"
>;

/** What a lost reference to an answer means. */
export const unknownAnswer = "nothing is known of the answer";

/** Names of methods and headers, RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** Path-level and operation-level parameters, references followed; the operation's replace those of equal name and place. */
export function readParameterList(
  source: OperationSource,
  resolver: ReferenceResolver,
): readonly TracedReference[] {
  const merged = new Map<string, TracedReference>();
  const levels = [
    [source.pathItem["parameters"], source.pathItemAt],
    [source.operation["parameters"], source.at],
  ] as const;
  for (const [list, at] of levels) {
    asArray(list).forEach((entry, index) => {
      const entryAt = [...at, "parameters", index];
      const parameter = resolver.follow(entry, entryAt, "the parameter is left out");
      const { name, in: location } = parameter.value;
      // Each of those that have no name is reported.
      const key = typeof name === "string" ? `${String(location)} ${name}` : pointerOf(entryAt);
      merged.set(key, parameter);
    });
  }
  return [...merged.values()];
}

/** API keys that are sent as parameters, as `<in>:<name>`, from the document's security schemes. */
export function readKeyParameters(
  schemes: JsonValue | undefined,
  resolver: ReferenceResolver,
): readonly string[] {
  return Object.values(asObject(schemes)).flatMap((entry) => {
    const scheme = resolver.follow(entry, []).value;
    const name = asText(scheme["name"]);
    const location = asText(scheme["in"]);
    return scheme["type"] === "apiKey" && name && location ? [`${location}:${name}`.toLowerCase()] : [];
  });
}

/** Reports a parameter that can't be read, unless it is only behind a lost reference; gives the note of the operation. */
export function leaveOut(source: OperationSource, parameter: TracedReference, report: Report): string {
  if (parameter.unresolved !== undefined) {
    return `Left out: a parameter, because \`${shorten(parameter.unresolved, 100)}\` can't be followed.`;
  }
  const problem = whyUnreadable(parameter.value, source.root["swagger"] !== undefined);
  report({
    severity: "warning",
    code: "operation-degraded",
    message: `The operation \`${source.method} ${source.path}\` is offered without a parameter: ${problem}`,
    at: parameter.at,
  });
  return `Left out: a parameter, because ${problem}`;
}

function whyUnreadable({ name, in: location }: JsonObject, isSwagger: boolean): string {
  if (typeof name !== "string" || name === "") return "it has no `name`.";
  const shown = `\`${shorten(name, 100)}\``;
  if (location === "header") return `${shown} can't be the name of a header.`;
  const places = isSwagger
    ? "`path`, `query`, `header`, `formData` or `body`"
    : "`path`, `query`, `querystring`, `header` or `cookie`";
  const said = typeof location === "string" ? `\`in: ${shorten(location, 30)}\`` : "no `in`";
  return `${shown} has ${said} where ${places} is expected.`;
}
