import type { JsonValue } from "../../model/json.ts";
import { isArray, isObject } from "./json-view.ts";

/** What a walk through a document found. */
export interface CollectedReferences {
  /** The documents that references name: what stands before `#`, each once, in no particular order. */
  readonly targets: ReadonlySet<string>;
  /** True when all references inside of the document lead to its components or definitions. */
  readonly leavesPathsAlone: boolean;
  /** Values that were looked at; what YAML aliases share counts each time. */
  readonly nodes: number;
}

/** Keywords whose members have names of the author's choice, which mean nothing even when they are keywords elsewhere. */
const namingKeywords: ReadonlySet<string> = new Set([
  ...["properties", "patternProperties", "dependentSchemas", "definitions", "$defs"],
  ...["paths", "pathItems", "schemas", "parameters", "responses", "requestBodies", "headers", "mediaTypes"],
  ...["content", "securitySchemes", "securityDefinitions"],
]);

/** Keywords behind which there are plain values, or nothing that becomes part of a tool. */
const skippedKeywords: ReadonlySet<string> = new Set([
  ...["default", "enum", "const", "example", "examples"],
  ...["webhooks", "callbacks", "links"],
]);

/** Values between two chances for other work of the thread. */
const turn = 20_000;

/**
 * Finds the other documents that a document refers to, by `$ref`s where references may stand. Those inside of extensions
 * (`x-…`) do not count: there they name program text and the like. Ends early when there are more than `mostNodes` values.
 */
export async function collectReferences(
  root: JsonValue,
  mostNodes: number,
  giveWay: () => Promise<void>,
): Promise<CollectedReferences> {
  const targets = new Set<string>();
  // Side by side, because an object for each value of a large document is much to clear up.
  const pending: JsonValue[] = [root];
  const pendingNames: boolean[] = [false];
  let leavesPathsAlone = true;
  let nodes = 0;
  while (pending.length > 0 && nodes <= mostNodes) {
    const value = pending.pop();
    const hasNames = pendingNames.pop() === true;
    nodes += 1;
    if (nodes % turn === 0) await giveWay();
    if (isArray(value)) {
      for (const item of value) {
        pending.push(item);
        pendingNames.push(false);
      }
      continue;
    }
    if (!isObject(value)) continue;
    const reference = value["$ref"];
    if (typeof reference === "string") {
      const mark = reference.indexOf("#");
      const target = mark === -1 ? reference : reference.slice(0, mark);
      if (target !== "") targets.add(target);
      leavesPathsAlone &&= /^#\/(?:components|definitions|parameters|responses)\//.test(reference);
    }
    for (const key of Object.keys(value)) {
      if (!hasNames && (skippedKeywords.has(key) || key.startsWith("x-"))) continue;
      pending.push(value[key] ?? null);
      pendingNames.push(!hasNames && namingKeywords.has(key));
    }
  }
  return { targets, leavesPathsAlone, nodes };
}
