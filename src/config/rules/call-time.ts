import type { NodePath } from "../../documents/located-node.ts";
import type { LimitsOfProviders } from "../../model/config-file.generated.ts";
import { readDuration } from "../duration.ts";
import { eachProvider, type Finding, type Look, type Rule } from "../rule.ts";

const longest = 600_000;

/** No client waits longer than ten minutes, and no place is kept longer for a call. */
export const callTime: Rule = function* (file, look): Generator<Finding> {
  yield* check(file.limits?.providers, ["limits", "providers"], look);
  for (const { provider, path } of eachProvider(file))
    yield* check(provider.limits, [...path, "limits"], look);
};

function* check(limits: LimitsOfProviders | undefined, path: NodePath, look: Look): Generator<Finding> {
  for (const key of ["call_time", "longest_call_time"] as const) {
    const written = limits?.[key];
    if (written === undefined || readDuration(written) <= longest) continue;
    const place = [...path, key];
    yield {
      code: "call-time",
      message: `\`${key}\` can be at most \`10m\`, not \`${look.written(place)}\`. What takes longer is better begun by one call and asked for by another.`,
      path: place,
    };
  }
}
