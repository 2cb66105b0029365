import type { JsonValue } from "../../model/json.ts";
import type { FindSource } from "../http/parameter-source.ts";
import type { ApiOperation, ApiParameter, DocumentPath } from "./model.ts";
import type { PathTemplate } from "./normalize-path.ts";

/** Headers that the gateway, the connection or the body decides; never an argument. */
const reservedHeaders: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Parameters that callers or the provider fill in: without reserved headers and what a connection sends, with variables that only
 * the path names.
 *
 * @param hasConnection API keys are arguments like any other where no connection sends them.
 */
export function visibleParameters(
  operation: ApiOperation,
  template: PathTemplate,
  sourceOf: FindSource,
  hasConnection: boolean,
): readonly ApiParameter[] {
  const declared = operation.parameters.filter((parameter) => {
    if (template.queryVariables.some(({ variable }) => variable === parameter.name)) return false;
    if (parameter.in === "path") return template.variables.includes(parameter.name);
    const source = sourceOf(parameter);
    if (source !== "caller") return source === "provider";
    if (hasConnection && isKey(operation, parameter)) return false;
    if (isAccessToken(parameter.name, parameter.description)) return false;
    return parameter.in !== "header" || !reservedHeaders.has(parameter.name.toLowerCase());
  });
  const find = (name: string): ApiParameter | undefined =>
    operation.parameters.find((parameter) => parameter.name === name);
  const missing = template.variables.filter(
    (name) => !declared.some((parameter) => parameter.in === "path" && parameter.name === name),
  );
  const givenInQuery = template.queryVariables.filter(
    ({ name }) => sourceOf({ in: "query", name }) === "caller",
  );
  const inQuery = givenInQuery.map(({ name, variable }): ApiParameter => {
    const parameter = find(variable) ?? undeclaredVariable(variable, operation.at);
    return parameter.in === "query"
      ? { ...parameter, name }
      : { ...parameter, name, in: "query", style: "form", explode: true };
  });
  const all = [...declared, ...missing.map((name) => undeclaredVariable(name, operation.at)), ...inQuery];
  return all.map((parameter) =>
    parameter.in === "path" && template.reserved.includes(parameter.name)
      ? { ...parameter, allowReserved: true }
      : parameter,
  );
}

/** Tells which declared parameters are no arguments, and why. */
export function* explainHidden(
  operation: ApiOperation,
  visible: readonly ApiParameter[],
  template: PathTemplate,
): Generator<string> {
  for (const parameter of operation.parameters) {
    const { name, in: location } = parameter;
    const isVisible = visible.some((other) => other.in === location && other.name === name);
    if (isVisible || template.queryVariables.some(({ variable }) => variable === name)) continue;
    const why =
      location === "path"
        ? "the path does not have it."
        : location === "header" && reservedHeaders.has(name.toLowerCase())
          ? "the gateway sets it."
          : "it is a credential, which only a connection or the provider itself sends.";
    yield `The ${location} parameter \`${name}\` is no argument: ${why}`;
  }
}

function isKey({ keyParameters }: ApiOperation, { in: location, name }: ApiParameter): boolean {
  return keyParameters.includes(`${location}:${name}`.toLowerCase());
}

/** Slack's documents declare the access token, which the connection sends, as a parameter or form field of every operation. */
export function isAccessToken(name: string, description: JsonValue | undefined): boolean {
  const isToken = name === "token" && typeof description === "string";
  return isToken && description.startsWith("Authentication token. Requires scope");
}

/** A variable of the path that no parameter declares: a required text. */
export function undeclaredVariable(name: string, at: DocumentPath): ApiParameter {
  return {
    name,
    in: "path",
    required: true,
    deprecated: false,
    description: undefined,
    schema: { type: "string" },
    at,
    style: "simple",
    explode: false,
    allowReserved: false,
    content: undefined,
  };
}
