import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";

/** With whose credential a surface is opened. */
export type Opening =
  | { /** The gateway's own, or none: once, for all callers. */ readonly kind: "own" }
  | {
      /** The caller's: once for each credential. */
      readonly kind: "scoped";
      readonly connection: string;
      /** What to tell callers who have none. */
      readonly reason: string;
    }
  | { readonly kind: "never"; readonly reason: string };

/** The connection whose credential a surface is opened with: that of a GraphQL schema may be another one than that of its calls. */
export function openedWith(surface: SurfaceConfig): string | undefined {
  return surface.kind === "graphql" ? surface.schemaConnection : surface.connection;
}

/**
 * With whose credential a surface is opened. Only MCP servers may show each caller other tools: whatever else describes itself is read
 * once, with the gateway's own credential.
 */
export function openingOf(provider: ProviderConfig, surface: SurfaceConfig): Opening {
  if (surface.kind !== "mcp" || surface.connection === undefined) return { kind: "own" };
  const connection = provider.connections[surface.connection];
  if (connection === undefined || connection.mode === "none") return { kind: "own" };
  const { name, mode, auth } = connection;
  if (auth.type === "passthrough") {
    return {
      kind: "never",
      reason: `its tools can't be listed: connection \`${name}\` passes on a header of each call (passthrough), and a list needs a credential that is kept. Give the surface a connection of another type.`,
    };
  }
  if (mode === "identity" || auth.type === "none") return { kind: "own" };
  if (surface.transport.kind === "command") {
    return {
      kind: "never",
      reason: `a local command takes no credential of connection \`${name}\` (mode \`${mode}\`). Pass it a value in \`env\`, and remove the connection.`,
    };
  }
  return {
    kind: "scoped",
    connection: name,
    reason: `its tools appear once connection \`${name}\` (mode \`${mode}\`, ${auth.type}) is connected.`,
  };
}
