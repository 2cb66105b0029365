import { readDuration } from "../duration.ts";
import { defaultLifetimes } from "../normalize-access.ts";
import type { Finding, Rule } from "../rule.ts";

/** A session that ends before it can be idle for so long is not what anybody wanted to say. */
export const sessionTime: Rule = function* (file, look): Generator<Finding> {
  const { session_idle: idle, session_ttl: whole } = file.auth ?? {};
  if (idle === undefined || readDuration(idle) <= readDuration(whole ?? defaultLifetimes.session)) return;
  const path = ["auth", "session_idle"];
  const ttl = ["auth", "session_ttl"];
  const lifetime =
    whole === undefined
      ? `\`session_ttl\`, which is \`${defaultLifetimes.session}\` by default`
      : `\`session_ttl: ${look.written(ttl)}\``;
  yield {
    severity: "warning",
    code: "session-time",
    message: `\`${look.written(path)}\` without a request is longer than a session lives at all (${lifetime}). Shorten it, or let sessions live longer.`,
    path,
    dependsOn: [ttl],
  };
};
