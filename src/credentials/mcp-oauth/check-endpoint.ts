import { GatewayError } from "../../errors.ts";
import type { JsonValue } from "../../model/json.ts";
import { problemOfNamedUrl } from "../../upstream/named-url.ts";

/**
 * A URL that a server names, as it is written, once it is one that may be followed.
 *
 * @param what names it in the error, such as `token endpoint`.
 * @throws GatewayError `upstream_failed`.
 */
export function checkEndpoint(value: JsonValue | undefined, what: string, mcpUrl: string): string {
  const problem = problemOfNamedUrl(value, mcpUrl);
  if (typeof value === "string" && problem === undefined) return value;
  throw new GatewayError(
    "upstream_failed",
    `The URL that was announced as ${what} ${problem}, so it is not followed. That is for whoever runs the server to mend.`,
  );
}
