import type { NodePath } from "../documents/located-node.ts";
import type { Connection, GatewayFile } from "../model/config-file.generated.ts";
import { eachProvider } from "./rule.ts";

/** The connections of a file with the path of each. */
export function* eachConnection(
  file: GatewayFile,
): Generator<{ readonly name: string; readonly connection: Connection; readonly path: NodePath }> {
  for (const { provider, path } of eachProvider(file)) {
    for (const [name, connection] of Object.entries(provider.connections ?? {})) {
      yield { name, connection, path: [...path, "connections", name] };
    }
  }
}
