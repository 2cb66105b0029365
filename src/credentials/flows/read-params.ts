import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import type { ConnectionConfig, ConnectionParam } from "../../model/connection-config.ts";
import type { JsonValue } from "../../model/json.ts";
import { holdsGatewayToken } from "../gateway-token.ts";
import { isPlainText, quoted } from "./plain-text.ts";

/** Values of params by their names. */
export type Params = Readonly<Record<string, string>>;

/** Most characters of a value that somebody types in. */
const mostTyped = 200;
/** The same for one that a server gives. */
const mostGiven = 1_000;

/** The params that people are asked for: those that nothing else supplies. */
export function typedParams({ params }: ConnectionConfig): readonly ConnectionParam[] {
  return params.filter(
    ({ fromToken, fromDiscovery }) => fromToken === undefined && fromDiscovery === undefined,
  );
}

/** What somebody typed in, complete with defaults. Throws `bad_request` that names what is missing, unknown or malformed. */
export function readTypedParams(connection: ConnectionConfig, given: Params): Params {
  const declared = typedParams(connection);
  const unknown = Object.keys(given).find((name) => !declared.some((param) => param.name === name));
  if (unknown !== undefined)
    throw new GatewayError(
      "bad_request",
      `Connection \`${connection.name}\` does not ask for ${quoted(unknown)}. ${listOf(declared)}`,
    );
  const read: [string, string][] = [];
  const missing: ConnectionParam[] = [];
  for (const param of declared) {
    const text = Object.hasOwn(given, param.name) ? given[param.name]?.trim() : undefined;
    const value = text === undefined || text === "" ? param.default : text;
    if (value === undefined) {
      if (param.required) missing.push(param);
      continue;
    }
    if (value !== param.default && !isFit(param, value, mostTyped))
      throw new GatewayError(
        "bad_request",
        `\`${param.name}\` (${param.label}) has to be 1 to ${mostTyped} printable characters${param.target?.in === "header" ? " of ASCII, as it is sent in a header" : ""}.`,
      );
    if (value !== param.default && holdsGatewayToken(value))
      throw new GatewayError(
        "bad_request",
        `\`${param.name}\` (${param.label}) holds an API token of this gateway, or another one that it issued, which must not be sent to anybody else.`,
      );
    read.push([param.name, value]);
  }
  if (missing.length > 0)
    throw new GatewayError(
      "bad_request",
      `Connection \`${connection.name}\` needs ${missing.map(({ name, label }) => `\`${name}\` (${label})`).join(", ")}.`,
    );
  return Object.fromEntries(read);
}

/** Those that the answer of the token endpoint has; values of a wrong form count as absent. */
export function paramsFromToken({ params }: ConnectionConfig, answer: JsonValue): Params {
  return collect(params, ({ fromToken }) => fromToken, answer);
}

/** Those that an item of the discovery has. */
export function paramsFromItem({ params }: ConnectionConfig, item: JsonValue): Params {
  return collect(params, ({ fromDiscovery }) => fromDiscovery, item);
}

/**
 * All params with the defaults of those that no server gave. Throws `upstream_failed` when one is missing that the connection needs.
 *
 * @param isBefore the discovery, whose own params are then left out.
 */
export function completeParams(connection: ConnectionConfig, found: Params, isBefore: boolean): Params {
  const complete: [string, string][] = [];
  for (const { name, required, default: otherwise, fromDiscovery } of connection.params) {
    const value = Object.hasOwn(found, name) ? found[name] : undefined;
    if (value === undefined && isBefore && fromDiscovery !== undefined) continue;
    const final = value ?? otherwise;
    if (final !== undefined) complete.push([name, final]);
    else if (required)
      throw new GatewayError(
        "upstream_failed",
        `The upstream's answer lacks what connection \`${connection.name}\` needs as \`${name}\`.`,
      );
  }
  return Object.fromEntries(complete);
}

/** What stands at the end of a path of member names; `undefined`: nothing. */
export function memberAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const name of path) {
    if (!isJsonObject(current) || !Object.hasOwn(current, name)) return undefined;
    current = current[name];
  }
  return current;
}

/** A text, number or boolean as text. */
export function scalarText(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function collect(
  params: readonly ConnectionParam[],
  pathOf: (param: ConnectionParam) => readonly string[] | undefined,
  answer: JsonValue,
): Params {
  const found: [string, string][] = [];
  for (const param of params) {
    const path = pathOf(param);
    const value = path === undefined ? undefined : scalarText(memberAt(answer, path));
    if (value !== undefined && isFit(param, value, mostGiven)) found.push([param.name, value]);
  }
  return Object.fromEntries(found);
}

function isFit({ target }: ConnectionParam, value: string, most: number): boolean {
  return isPlainText(value, most) && (target?.in !== "header" || /^[\x20-\x7e]+$/.test(value));
}

function listOf(declared: readonly ConnectionParam[]): string {
  if (declared.length === 0) return "It asks for no params.";
  return `It asks for ${declared.map(({ name }) => `\`${name}\``).join(", ")}.`;
}
