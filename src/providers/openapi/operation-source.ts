import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText } from "./json-view.ts";
import type { ApiOperation, DocumentPath, Report } from "./model.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";

/** What every version needs to read one operation. */
export interface OperationSource {
  readonly root: JsonObject;
  readonly pathItem: JsonObject;
  readonly pathItemAt: DocumentPath;
  /** As the document writes it. */
  readonly method: string;
  readonly operation: JsonObject;
  readonly at: DocumentPath;
  readonly path: string;
}

/** What depends on the version: everything between the operation's head and its schemas. */
export type OperationDetails = Pick<
  ApiOperation,
  "parameters" | "body" | "responses" | "servers" | "keyParameters" | "notes"
>;

/** What is wrong with a parameter that can't be read. */
export const parameterProblem =
  "a parameter has no name, a name that can't be a header's, or `in` names no place for one.";

/** Names of methods and headers, RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** Path-level and operation-level parameters, references followed; the operation's replace those of equal name and place. */
export function readParameterList(
  source: OperationSource,
  resolver: ReferenceResolver,
): readonly { readonly value: JsonObject; readonly at: DocumentPath }[] {
  const merged = new Map<string, { readonly value: JsonObject; readonly at: DocumentPath }>();
  const levels = [
    [source.pathItem["parameters"], source.pathItemAt],
    [source.operation["parameters"], source.at],
  ] as const;
  for (const [list, at] of levels) {
    for (const [index, entry] of asArray(list).entries()) {
      const parameter = resolver.follow(entry, [...at, "parameters", index]);
      const { name, in: location } = parameter.value;
      merged.set(`${String(location)} ${String(name)}`, parameter);
    }
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

/** Reports that part of an operation is left out. */
export function reportDegraded(
  report: Report,
  source: OperationSource,
  problem: string,
  at: DocumentPath,
): void {
  report({
    severity: "warning",
    code: "operation-degraded",
    message: `The operation \`${source.method.toUpperCase()} ${source.path}\` is offered without a part: ${problem}`,
    at,
  });
}
