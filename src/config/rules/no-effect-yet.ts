import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import type { Finding, Rule } from "../rule.ts";

/** Settings of a sign-in that is off do no harm, but nobody should rely on them. */
export const noEffectYet: Rule = function* (file): Generator<Finding> {
  for (const [value, path, why] of settings(file)) {
    if (value === undefined) continue;
    yield {
      severity: "warning",
      code: "no-effect-yet",
      message: `\`${path.join(".")}\` has no effect ${why}.`,
      path,
      target: "key",
      ...(path[0] === "auth" && { dependsOn: [["auth", "provider"]] }),
    };
  }
};

function settings({ auth }: GatewayFile): readonly (readonly [unknown, NodePath, string])[] {
  const open = (auth?.provider ?? "none") === "none" ? auth : undefined;
  const nobodySignsIn = "while nobody signs in (`auth.provider: none`)";
  return [
    [open?.api_token_ttl, ["auth", "api_token_ttl"], nobodySignsIn],
    [open?.session_ttl, ["auth", "session_ttl"], nobodySignsIn],
    [open?.session_idle, ["auth", "session_idle"], nobodySignsIn],
    [open?.query_token, ["auth", "query_token"], nobodySignsIn],
  ];
}
