import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import type { Finding, Rule } from "../rule.ts";

/** Settings of later versions do no harm, but nobody should rely on them. */
export const noEffectYet: Rule = function* (file): Generator<Finding> {
  for (const [value, path, what] of settings(file)) {
    if (value === undefined) continue;
    yield {
      // Part of it is of use already, and somebody may want just that.
      severity: value === file.datastore ? "information" : "warning",
      code: "no-effect-yet",
      message: `\`${path.join(".")}\` has no effect in this version, ${what}.`,
      path,
      target: "key",
    };
  }
};

function settings(file: GatewayFile): readonly (readonly [unknown, NodePath, string])[] {
  const { server, auth } = file;
  return [
    [
      file.datastore,
      ["datastore"],
      "but for the folder beside it, which keeps what large API descriptions come to",
    ],
    [
      server?.encryption_key,
      ["server", "encryption_key"],
      "which stores nothing that would have to be sealed",
    ],
    [
      server?.encryption_keys,
      ["server", "encryption_keys"],
      "which stores nothing that would have to be sealed",
    ],
    [server?.management, ["server", "management"], "which serves health beside everything else"],
    [auth?.api_token_ttl, ["auth", "api_token_ttl"], "which issues no tokens"],
    [
      auth?.provider === "none" || auth?.provider === undefined ? auth?.config : undefined,
      ["auth", "config"],
      "which has no sign-in",
    ],
  ];
}
