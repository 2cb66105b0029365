import { asObject } from "../../json-object.ts";
import { encodeHeaderValue } from "../../mcp/header-value.ts";
import { metaKeys } from "../../mcp/meta.ts";
import { nameOfRequest } from "../../mcp/name-of-request.ts";
import type { LogLevel } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import { clientInfo } from "./client-info.ts";

/** What `_meta` of a request says, besides what its caller has put there. */
export interface Envelope {
  /** `undefined`: no progress is asked for. */
  readonly progressToken: number | undefined;
  /** A version without a handshake, where every request says all of the client; `undefined`: the handshake has said it. */
  readonly modernVersion: string | undefined;
  readonly capabilities: JsonObject | undefined;
  readonly logLevel: LogLevel | undefined;
}

/** The params with the members of `_meta` that this hop demands. */
export function putIntoEnvelope(params: JsonObject, envelope: Envelope): JsonObject {
  const { progressToken, modernVersion, capabilities = {}, logLevel } = envelope;
  const meta: JsonObject = {
    ...asObject(params["_meta"]),
    ...(progressToken === undefined ? {} : { progressToken }),
    ...(modernVersion === undefined
      ? {}
      : {
          [metaKeys.protocolVersion]: modernVersion,
          [metaKeys.clientCapabilities]: capabilities,
          [metaKeys.clientInfo]: clientInfo,
          ...(logLevel === undefined ? {} : { [metaKeys.logLevel]: logLevel }),
        }),
  };
  return Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
}

/** MCP 2026-07-28, Streamable HTTP: what a request is must show without reading its body. */
export function standardHeaders(method: string, params: JsonObject): Record<string, string> {
  const named = nameOfRequest(method, params);
  return {
    "mcp-method": method,
    ...(named === undefined ? {} : { "mcp-name": encodeHeaderValue(named.name) }),
  };
}
