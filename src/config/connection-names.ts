import type { NodePath } from "../documents/located-node.ts";
import type { Provider } from "../model/config-file.generated.ts";
import { type ResolvedConnection, resolveConnection } from "./resolve-connection.ts";

/** Every place in a provider that names a connection. */
export function* eachConnectionName(
  provider: Provider,
  providerPath: NodePath,
): Generator<{ readonly name: string; readonly path: NodePath }> {
  if (provider.default_connection !== undefined) {
    yield { name: provider.default_connection, path: [...providerPath, "default_connection"] };
  }
  for (const [kind, surface] of Object.entries(provider.surfaces ?? {})) {
    const path = [...providerPath, "surfaces", kind];
    if (surface.connection !== undefined) yield { name: surface.connection, path: [...path, "connection"] };
  }
  const schemaConnection = provider.surfaces?.graphql?.schema_connection;
  if (schemaConnection !== undefined) {
    yield { name: schemaConnection, path: [...providerPath, "surfaces", "graphql", "schema_connection"] };
  }
  for (const [index, operation] of (provider.surfaces?.rest?.operations ?? []).entries()) {
    if (operation.connection === undefined) continue;
    yield {
      name: operation.connection,
      path: [...providerPath, "surfaces", "rest", "operations", index, "connection"],
    };
  }
}

/** What each surface, and each inline operation with a connection of its own, comes to use. */
export function* eachConnectionUse(
  provider: Provider,
  providerPath: NodePath,
): Generator<{ readonly surface: string; readonly path: NodePath; readonly connection: ResolvedConnection }> {
  if (provider.mcp_url !== undefined) {
    yield { surface: "mcp_url", path: [...providerPath, "mcp_url"], connection: resolveConnection(provider) };
  }
  for (const [kind, surface] of Object.entries(provider.surfaces ?? {})) {
    const path = [...providerPath, "surfaces", kind];
    const operations = kind === "rest" ? (provider.surfaces?.rest?.operations ?? []) : [];
    for (const [index, operation] of operations.entries()) {
      if (operation.connection === undefined) continue;
      const connection = resolveConnection(provider, operation.connection);
      yield { surface: kind, path: [...path, "operations", index], connection };
    }
    // When every operation names its own, nothing asks for the surface's.
    if (operations.length > 0 && operations.every((operation) => operation.connection !== undefined))
      continue;
    yield { surface: kind, path, connection: resolveConnection(provider, surface.connection) };
  }
  const schemaConnection = provider.surfaces?.graphql?.schema_connection;
  if (schemaConnection !== undefined) {
    const path = [...providerPath, "surfaces", "graphql", "schema_connection"];
    yield { surface: "graphql", path, connection: resolveConnection(provider, schemaConnection) };
  }
}
