import { GatewayError } from "../../errors.ts";
import type { HttpBinding, HttpParameter } from "../../model/catalog.ts";
import type { ManagedParameter } from "../../model/config.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { revealed } from "../../secret.ts";
import { encodeBody } from "./encode-body.ts";
import { parsePathTemplate } from "./path-template.ts";
import { encodeLiteralPath } from "./percent-encode.ts";
import {
  isAbsent,
  scalarText,
  serializeCookie,
  serializeFormMember,
  serializeHeader,
  serializePathParameter,
  serializeQueryParameter,
} from "./serialize-parameter.ts";

/** What the arguments make of a binding: a request that carries nothing of the provider's headers or credentials yet. */
export interface BoundRequest {
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
}

/** The value of a parameter in this call: an argument, a default or a managed parameter's. */
type FindValue = (parameter: HttpParameter) => JsonValue | undefined;

/**
 * Builds the HTTP request of a call. Pure: the same binding, arguments and managed parameters give the same request.
 *
 * Whatever the arguments hold, the request goes to the binding's origin, its path fits the binding's template, and it
 * has no header that the binding doesn't name. Throws `invalid_arguments` for an argument that can't be written where
 * it has to go.
 */
export function bindRequest(
  binding: HttpBinding,
  toolArguments: JsonObject,
  managed: readonly ManagedParameter[] = [],
): BoundRequest {
  const findValue: FindValue = (parameter) =>
    parameter.argument === undefined
      ? managedValue(parameter, managed)
      : argumentOf(parameter, parameter.argument, toolArguments);
  const [pathTemplate = "", fixedQuery] = splitOnce(binding.path, "?");
  const path = buildPath(binding, pathTemplate, findValue);
  const query = [fixedQuery ?? "", ...buildQuery(binding, findValue)].filter((part) => part !== "").join("&");
  const url = `${binding.baseUrl}${path}${query === "" ? "" : `?${query}`}`;
  assertTarget(binding, pathTemplate, path, url);
  const body = binding.body && encodeBody(binding.body, toolArguments);
  return {
    method: binding.method,
    url,
    headers: {
      accept: binding.accept,
      ...buildHeaders(binding, findValue),
      ...(body && { "content-type": body.contentType }),
    },
    body: body?.content,
  };
}

function buildPath(binding: HttpBinding, template: string, findValue: FindValue): string {
  const texts = parsePathTemplate(template).map((part) => {
    if (part.kind === "literal") return encodeLiteralPath(part.text);
    const parameter = binding.parameters.find(
      (candidate) => candidate.in === "path" && candidate.name === part.name,
    );
    if (!parameter) throw new Error(`Nothing fills \`{${part.name}}\` of \`${binding.path}\`.`);
    const value = findValue(parameter);
    if (isAbsent(parameter, value)) throw invalid(parameter, "is required, because it is part of the path");
    if (textsIn(value).some(holdsDotSegment)) {
      throw invalid(parameter, "must not hold the path segments `.` or `..`");
    }
    const text = serializePathParameter(parameter, value);
    if (text === "") throw invalid(parameter, "must not be empty, because it is part of the path");
    return text;
  });
  return texts.join("");
}

/** The texts that a value is written with: itself, or the items, names and members of what it holds. */
function textsIn(value: JsonValue): readonly string[] {
  if (value === null || typeof value !== "object") return [scalarText(value)];
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)]);
}

/**
 * Servers and proxies between here and the API may resolve `.` and `..`, some only after decoding, so no value may
 * hold such a segment, however it is encoded.
 */
export function holdsDotSegment(text: string): boolean {
  let decoded = text;
  for (let round = 0; round < 4; round += 1) {
    if (decoded.split(/[/\\]/).some((segment) => segment === "." || segment === "..")) return true;
    decoded = decoded.replace(/%2e/gi, ".").replace(/%2f/gi, "/").replace(/%5c/gi, "\\").replace(/%25/g, "%");
  }
  return false;
}

function buildQuery(binding: HttpBinding, findValue: FindValue): readonly string[] {
  return binding.parameters.flatMap((parameter) => {
    const value = findValue(parameter);
    if (isAbsent(parameter, value)) return [];
    if (parameter.in === "query") return serializeQueryParameter(parameter, value);
    if (parameter.in !== "querystring") return [];
    // The whole query string is one value: a form as OpenAPI 3.2 section 4.12.3 has it, or one encoded text.
    if (parameter.content === "application/x-www-form-urlencoded" && typeof value === "object") {
      return Object.entries(value).flatMap(([name, member]) => serializeFormMember(name, member));
    }
    return serializeQueryParameter({ ...parameter, name: "" }, value).map((pair) => pair.slice(1));
  });
}

function buildHeaders(binding: HttpBinding, findValue: FindValue): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const parameter of binding.parameters) {
    const value = findValue(parameter);
    if (isAbsent(parameter, value)) continue;
    if (parameter.in === "header") {
      const text = serializeHeader(parameter, value).trim();
      // Latin-1 without control characters: all that a header can hold (RFC 9110 section 5.5).
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
        throw invalid(parameter, "holds a line break or another character that can't stand in a header");
      }
      headers[parameter.name.toLowerCase()] = text;
    }
    if (parameter.in === "cookie") {
      for (const cookie of serializeCookie(parameter, value)) {
        if (!/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e,]*$/.test(cookie)) {
          throw invalid(parameter, "holds a character that can't stand in a cookie");
        }
        cookies.push(cookie);
      }
    }
  }
  return cookies.length === 0 ? headers : { ...headers, cookie: cookies.join("; ") };
}

function argumentOf(
  parameter: HttpParameter,
  argument: string,
  toolArguments: JsonObject,
): JsonValue | undefined {
  const value = Object.hasOwn(toolArguments, argument) ? toolArguments[argument] : undefined;
  return value ?? parameter.default;
}

function managedValue(parameter: HttpParameter, managed: readonly ManagedParameter[]): string | undefined {
  const found = managed.find(
    ({ in: location, name }) => location === parameter.in && name === parameter.name,
  );
  return found && revealed(found.value);
}

/** The last check, on the finished URL as a URL parser sees it: origin and path are still those of the binding. */
function assertTarget(binding: HttpBinding, template: string, path: string, url: string): void {
  const target = new URL(url);
  const base = new URL(binding.baseUrl);
  const spread = binding.parameters.some((parameter) => parameter.in === "path" && parameter.allowReserved);
  const fits =
    target.origin === base.origin &&
    target.username === base.username &&
    // A parser that changes the path, such as for `.` and `..`, would lead somewhere else than what was checked.
    target.pathname === `${base.pathname === "/" ? "" : base.pathname}${path}` &&
    // What stands around and between values may complete a segment that none of them holds.
    !holdsDotSegment(path) &&
    (spread || path.split("/").length === template.split("/").length);
  if (fits) return;
  throw new GatewayError(
    "invalid_arguments",
    `The arguments would lead the request away from \`${binding.method} ${binding.path}\`, so it was not sent.`,
  );
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function invalid({ argument, name }: HttpParameter, problem: string): GatewayError {
  if (argument === undefined) {
    const message = `The managed parameter \`${name}\` ${problem}. Whoever runs the gateway can mend it in the configuration file.`;
    return new GatewayError("internal", message);
  }
  return new GatewayError("invalid_arguments", `The argument \`${argument}\` ${problem}.`, {
    details: { argument },
  });
}
