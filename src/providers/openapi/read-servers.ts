import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText } from "./json-view.ts";
import type { ApiServer, ApiServerVariable } from "./model.ts";

/** The servers that a document, a path or an operation lists, in its order; those without a URL are none. */
export function readServers(holder: JsonObject): readonly ApiServer[] {
  return asArray(holder["servers"]).flatMap((entry): readonly ApiServer[] => {
    const { url, name, description, variables } = asObject(entry);
    if (typeof url !== "string") return [];
    return [
      { url, name: asText(name), description: asText(description), variables: readVariables(variables) },
    ];
  });
}

function readVariables(value: JsonValue | undefined): ReadonlyMap<string, ApiServerVariable> {
  const variables = Object.entries(asObject(value)).map(([name, entry]) => {
    const variable = asObject(entry);
    const values = asArray(variable["enum"]).flatMap(scalarText);
    const [fallback] = scalarText(variable["default"]);
    return [name, { default: fallback ?? values[0], values }] as const;
  });
  return new Map(variables);
}

function scalarText(value: JsonValue | undefined): readonly string[] {
  return value === undefined || value === null || typeof value === "object" ? [] : [String(value)];
}

/**
 * The addresses of an operation of 2.0, or of the document: one for each scheme, https first. Without a host they are relative to
 * where the document came from.
 */
export function readSwaggerServers(root: JsonObject, operation: JsonObject): readonly ApiServer[] {
  const host = asText(root["host"]);
  const basePath = asText(root["basePath"]) ?? "";
  const written = [...asArray(operation["schemes"]), ...asArray(root["schemes"])];
  const schemes = ["https", "http"].filter((scheme) => written.includes(scheme));
  const addresses =
    host === undefined
      ? [basePath === "" && schemes.length === 0 ? [] : [basePath || "/"]].flat()
      : (schemes.length > 0 ? schemes : ["https"]).map((scheme) => `${scheme}://${host}${basePath}`);
  return addresses.map((url) => ({ url, name: undefined, description: undefined, variables: new Map() }));
}
