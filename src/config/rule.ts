import type { DiagnosticCode } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { type LocatedNode, type NodePath, nodeAt, spanAt } from "../documents/located-node.ts";
import { placeOf } from "../documents/source-file.ts";
import type { GatewayFile, Provider } from "../model/config-file.generated.ts";

/** What a rule found, by paths in place of places. */
export interface Finding {
  readonly severity?: Diagnostic["severity"];
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly path: NodePath;
  /** Underlines the key or, by default, the value. */
  readonly target?: "key" | "value";
  readonly related?: readonly {
    readonly message: string;
    readonly path: NodePath;
    readonly target?: "key" | "value";
  }[];
  /** Other parts of the file that the finding is only true with. */
  readonly dependsOn?: readonly NodePath[];
}

/** A rule that the schema can't say: over a file whose shape is right. Each stands in a file named after its code. */
export type Rule = (file: GatewayFile, look: Look) => Iterable<Finding>;

/** What rules may ask about the file beyond its values. */
export interface Look {
  /** Whether the value at a path holds a reference. */
  isReference(path: NodePath): boolean;
  /** The value as the file has it, for messages: what a reference stands for may be a secret. */
  written(path: NodePath): string;
}

/**
 * Runs rules over a checked tree. What they say of stand-ins (mistakes that were reported before) and of unset references is
 * left out.
 */
export function runRules(
  rules: readonly Rule[],
  file: GatewayFile,
  root: LocatedNode,
): readonly Diagnostic[] {
  const look: Look = {
    isReference: (path) => referenceAt(root, path) !== undefined,
    written: (path) => {
      const { source, start, end } = spanAt(root, path, "value");
      const text = source.text.slice(start, end).replace(/^(["'])(.*)\1$/s, "$2");
      return text.length > 80 ? `${text.slice(0, 79)}…` : text;
    },
  };
  const diagnostics: Diagnostic[] = [];
  for (const rule of rules) {
    for (const finding of rule(file, look)) {
      const { path, target = "value", dependsOn = [] } = finding;
      if ([path, ...dependsOn].some((part) => isStandIn(root, part))) continue;
      if (target === "value" && referenceAt(root, path) === "unset") continue;
      diagnostics.push(toDiagnostic(finding, root));
    }
  }
  return diagnostics;
}

/** The providers of a file with the path of each. */
export function* eachProvider(
  file: GatewayFile,
): Generator<{ readonly name: string; readonly provider: Provider; readonly path: NodePath }> {
  for (const [name, provider] of Object.entries(file.providers)) {
    yield { name, provider, path: ["providers", name] };
  }
}

function toDiagnostic(finding: Finding, root: LocatedNode): Diagnostic {
  const { severity = "error", code, message, path, target = "value", related } = finding;
  return {
    severity,
    code,
    message,
    place: placeOf(spanAt(root, path, target)),
    ...(related && {
      related: related.map((other) => ({
        message: other.message,
        place: placeOf(spanAt(root, other.path, other.target ?? "value")),
      })),
    }),
  };
}

function isStandIn(root: LocatedNode, path: NodePath): boolean {
  return (
    path.some((_step, index) => nodeAt(root, path.slice(0, index + 1))?.standIn === true) ||
    root.standIn === true
  );
}

function referenceAt(root: LocatedNode, path: NodePath): "resolved" | "unset" | undefined {
  const node = nodeAt(root, path);
  return node?.kind === "scalar" ? node.reference : undefined;
}
