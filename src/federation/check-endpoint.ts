import { GatewayError } from "../errors.ts";
import type { JsonValue } from "../model/json.ts";
import { problemOfNamedUrl } from "../upstream/named-url.ts";

/**
 * A URL that an issuer's metadata names, as it is written, once it is one that may be followed.
 *
 * @param what names it in the error, such as `token_endpoint`.
 * @throws GatewayError `upstream_failed`.
 */
export function checkEndpoint(value: JsonValue | undefined, what: string, issuer: string): string {
  const problem = problemOfNamedUrl(value, issuer);
  if (typeof value === "string" && problem === undefined) return value;
  throw new GatewayError(
    "upstream_failed",
    `The metadata of the issuer ${issuer} can't be used: its \`${what}\` ${problem}. That is for whoever runs the issuer to mend.`,
  );
}
