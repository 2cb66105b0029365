import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import {
  isLegacyVersion,
  isModernVersion,
  legacyVersions,
  modernVersions,
  newestLegacyVersion,
  newestModernVersion,
} from "../../mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { quoteUpstream } from "../strip-hidden.ts";
import { clientInfo } from "./client-info.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** All that a client can be asked: for sessions that only list, since some servers list certain tools only then. */
export const allClientCapabilities: JsonObject = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {} },
  roots: { listChanged: true },
};

/** The server speaks no version that is known here. */
export class UnknownVersionError extends GatewayError {}

/**
 * The handshake of versions up to 2025-11-25. The session declares these client capabilities for as long as it lives, and is asked
 * nothing else.
 *
 * Resolves when the first call may be made: the upstream has taken `initialized`, and the stream for its own messages stands.
 */
export async function initialize(
  session: UpstreamSession,
  capabilities: JsonObject,
  signal: AbortSignal,
): Promise<void> {
  session.declare(capabilities);
  const result = await session.request(
    "initialize",
    { protocolVersion: newestLegacyVersion, capabilities, clientInfo },
    { signal },
  );
  const version = result["protocolVersion"];
  if (typeof version !== "string" || !isLegacyVersion(version)) throw unknownVersions([version]);
  session.settle({ era: "legacy", version, capabilities: asObject(result["capabilities"]) ?? {} });
  await session.notify("notifications/initialized", {}, signal);
  await session.listen();
}

/**
 * Asks a server what it speaks without a handshake (MCP 2026-07-28, `server/discover`). True: it speaks a version of that
 * era, and the session is ready for calls. False: it answered, and speaks only versions with a handshake.
 */
export async function discover(session: UpstreamSession, signal: AbortSignal): Promise<boolean> {
  session.try(newestModernVersion);
  const result = await session.request("server/discover", {}, { signal });
  const supported = result["supportedVersions"];
  const version = readVersions(supported).find(isModernVersion);
  if (version === undefined) return isHandshakeOnly(supported);
  session.settle({ era: "modern", version, capabilities: asObject(result["capabilities"]) ?? {} });
  return true;
}

/**
 * False when a server's list of versions (or the lack of one) leaves the handshake to try; a list of nothing but versions
 * that are not known here fails with `provider_unavailable`.
 */
export function isHandshakeOnly(supported: JsonValue | undefined): false {
  const versions = readVersions(supported);
  if (versions.length > 0 && !versions.some(isLegacyVersion)) throw unknownVersions(versions);
  return false;
}

/** True for a list of versions with one that the gateway speaks without a handshake. */
export function supportsModern(supported: JsonValue | undefined): boolean {
  return readVersions(supported).some(isModernVersion);
}

/** The versions that a -32022 error says are supported. */
export function supportedByError(data: JsonValue | undefined): JsonValue | undefined {
  const members: JsonObject | undefined = asObject(data);
  return members?.["supported"];
}

function readVersions(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((version) => typeof version === "string") : [];
}

function unknownVersions(versions: readonly (JsonValue | undefined)[]): UnknownVersionError {
  const offered = quoteUpstream(versions.map((version) => String(version)).join(", "));
  return new UnknownVersionError(
    "provider_unavailable",
    `The MCP server speaks a version of the protocol that is not known here (${offered}). Known are ${[...legacyVersions, ...modernVersions].join(", ")}.`,
  );
}
