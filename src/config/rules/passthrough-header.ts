import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

/** Headers by which callers sign in to the gateway: whoever passes them on gives its own key away. */
const ownHeaders = new Set(["authorization", "proxy-authorization", "cookie"]);

/** The token meant for the gateway itself is never passed on. */
export const passthroughHeader: Rule = function* (file): Generator<Finding> {
  for (const { connection, path } of eachConnection(file)) {
    const { auth } = connection;
    if (auth?.type !== "passthrough" || !ownHeaders.has(auth.header.toLowerCase())) continue;
    yield {
      code: "passthrough-header",
      message: `\`${auth.header}\` carries what is meant for the gateway itself, so it is never passed on. Let callers send the upstream's token in a header of its own, such as \`X-Upstream-Token\`.`,
      path: [...path, "auth", "header"],
    };
  }
};
