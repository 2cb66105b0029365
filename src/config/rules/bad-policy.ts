import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile, Policy } from "../../model/config-file.generated.ts";
import { compilePolicy } from "../../policy/compile-policy.ts";
import type { Finding, Look, Rule } from "../rule.ts";

/** A policy has a condition that compiles and a name of its own, and changes something. */
export const badPolicy: Rule = function* (file, look): Generator<Finding> {
  const authorization = file.authorization ?? {};
  const first = new Map<string, number>();
  for (const [index, policy] of (authorization.policies ?? []).entries()) {
    const path = ["authorization", "policies", index];
    yield* checkCondition(policy.when, [...path, "when"], look);
    const other = first.get(policy.name);
    if (other === undefined) first.set(policy.name, index);
    else {
      const otherPath = ["authorization", "policies", other, "name"];
      yield {
        code: "bad-policy",
        message: `Another policy is called \`${look.written(otherPath)}\`, and explanations could not tell the two apart. Rename one of them.`,
        path: [...path, "name"],
        related: [{ message: "The other one is here.", path: otherPath }],
        dependsOn: [otherPath],
      };
    }
    if (policy.effect === "allow") yield* checkAllow(policy, index, file);
  }
};

function* checkCondition(when: string, path: NodePath, look: Look): Generator<Finding> {
  const compiled = compilePolicy(when);
  if (compiled.ok) return;
  const { problem, offset } = compiled;
  const place = offset === undefined ? "" : ` (at character ${offset + 1})`;
  // What a reference stands for is not printed.
  const message = look.isReference(path)
    ? `The condition that this reference stands for can't be used${place}.`
    : `This condition can't be used${place}. ${problem}`;
  yield { code: "bad-policy", message, path };
}

/** Who writes nothing but permissions means that everything else is denied. */
function* checkAllow(policy: Policy, index: number, { authorization }: GatewayFile): Generator<Finding> {
  const path = ["authorization", "policies", index];
  const depends = [
    ["authorization", "default"],
    ["authorization", "destructive"],
  ];
  const { default: general = "allow", destructive = "allow" } = authorization ?? {};
  if (general === "allow" && destructive === "allow") {
    yield {
      severity: "warning",
      code: "bad-policy",
      message:
        "This permission changes nothing: what no policy denies is allowed anyway. Write `default: deny` beside `policies` if only what they allow shall be used.",
      path: [...path, "effect"],
      dependsOn: depends,
    };
  }
  if (policy.message !== undefined) {
    yield {
      severity: "warning",
      code: "bad-policy",
      message: "`message` is for what a `deny` refuses; an `allow` refuses nothing. Remove it.",
      path: [...path, "message"],
      target: "key",
      dependsOn: [[...path, "effect"]],
    };
  }
}
