import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText, isArray } from "./json-view.ts";
import type { ApiSecurityScheme, DocumentPath } from "./model.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";

/** The security schemes of a document of any version, by name. */
export function readSecuritySchemes(
  root: JsonObject,
  resolver: ReferenceResolver,
): ReadonlyMap<string, ApiSecurityScheme> {
  const [schemes, at]: readonly [JsonValue | undefined, DocumentPath] =
    root["swagger"] === undefined
      ? [asObject(root["components"])["securitySchemes"], ["components", "securitySchemes"]]
      : [root["securityDefinitions"], ["securityDefinitions"]];
  const entries = Object.entries(asObject(schemes)).map(([name, entry]) => {
    return [
      name,
      readScheme(resolver.follow(entry, [...at, name], "nothing is known of the security scheme").value),
    ] as const;
  });
  return new Map(entries);
}

function readScheme(scheme: JsonObject): ApiSecurityScheme {
  const { type, name, in: location } = scheme;
  const http = (asText(scheme["scheme"]) ?? "").toLowerCase();
  switch (type) {
    case "apiKey":
      if (typeof name !== "string" || typeof location !== "string") break;
      return { wants: `${location}:${name}`.toLowerCase(), phrase: `an API key in ${location} \`${name}\`` };
    case "basic":
      return { wants: "basic", phrase: "HTTP basic authentication" };
    case "oauth2":
      return { wants: "bearer", phrase: "an OAuth 2.0 access token" };
    case "openIdConnect":
      return { wants: "bearer", phrase: "an OpenID Connect access token" };
    case "http":
      if (http === "basic") return { wants: "basic", phrase: "HTTP basic authentication" };
      if (http === "bearer") return { wants: "bearer", phrase: "a bearer token" };
      return { wants: "header:authorization", phrase: `HTTP authentication of scheme \`${http}\`` };
    case "mutualTLS":
      return { wants: undefined, phrase: "a client certificate (mutual TLS)" };
  }
  return { wants: undefined, phrase: "something that the document does not tell" };
}

/**
 * What an operation asks for: any one of the lists, and of it all schemes. Empty when it asks for nothing, or when one of the lists is:
 * that makes all others optional. The operation's own word counts before the document's.
 */
export function readRequirements(root: JsonObject, operation: JsonObject): readonly (readonly string[])[] {
  const written = isArray(operation["security"]) ? operation["security"] : root["security"];
  const alternatives = asArray(written).map((requirement) => Object.keys(asObject(requirement)));
  return alternatives.some((schemes) => schemes.length === 0) ? [] : alternatives;
}
