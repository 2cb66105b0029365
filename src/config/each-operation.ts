import type { NodePath } from "../documents/located-node.ts";
import type { GatewayFile, Operation, Provider } from "../model/config-file.generated.ts";
import { eachProvider } from "./rule.ts";

/** The inline operations of a file with the provider and the path of each. */
export function* eachOperation(
  file: GatewayFile,
): Generator<{ readonly operation: Operation; readonly provider: Provider; readonly path: NodePath }> {
  for (const { provider, path } of eachProvider(file)) {
    for (const [index, operation] of (provider.surfaces?.rest?.operations ?? []).entries()) {
      yield { operation, provider, path: [...path, "surfaces", "rest", "operations", index] };
    }
  }
}
