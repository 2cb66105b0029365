import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

/** Headers by which callers sign in to the gateway: whoever passes them on gives its own key away. */
const signIn = /^(authorization|proxy-authorization|cookie)$/i;
/** What a request tells the gateway: what it is about, what its body is, where it comes from. */
const ownRequest =
  /^(accept|accept-.*|content-.*|host|origin|referer|forwarded|x-forwarded-.*|(x-gateway|mcp|sec)-.*)$/i;

/** The token meant for the gateway itself is never passed on, nor is what describes the request to it. */
export const passthroughHeader: Rule = function* (file): Generator<Finding> {
  for (const { connection, path } of eachConnection(file)) {
    const { auth } = connection;
    if (auth?.type !== "passthrough") continue;
    const why = signIn.test(auth.header)
      ? "carries what is meant for the gateway itself"
      : ownRequest.test(auth.header)
        ? "describes the caller's request to the gateway"
        : undefined;
    if (why === undefined) continue;
    yield {
      code: "passthrough-header",
      message: `\`${auth.header}\` ${why}, so it is never passed on. Let callers send the upstream's token in a header of its own, such as \`X-Upstream-Token\`.`,
      path: [...path, "auth", "header"],
    };
  }
};
