import type { Credential } from "../model/credential.ts";
import { revealed } from "../secret.ts";
import type { OwnParameters } from "./http/parameter-source.ts";
import { encodeName, encodeValue } from "./http/percent-encode.ts";

/** The part of a request that a credential can be put into. */
export interface Dressed {
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Puts on a request what the gateway adds to it: a user agent, the provider's headers and managed query parameters, and
 * last the credential, so that nothing that a call brings can replace any of them. Every surface's requests go through
 * here; secrets are revealed here, for each request anew.
 */
export function dressRequest(
  { url, headers }: Dressed,
  provider: OwnParameters,
  credential: Credential,
): Dressed {
  // Some servers refuse requests without a user agent.
  const dressed: Record<string, string> = { "user-agent": "gestalt-gateway", ...headers };
  const added = [...Object.entries(provider.headers), ...Object.entries(credential.headers)];
  for (const [written, value] of added) {
    const name = written.toLowerCase();
    // What the body is, only the body can say.
    if (name !== "content-type" || headers[name] === undefined) dressed[name] = revealed(value);
  }
  const cookies = Object.entries(credential.cookies ?? {}).map(
    ([name, value]) => [name, value.reveal()] as const,
  );
  if (cookies.length > 0) dressed["cookie"] = withCookies(dressed["cookie"], new Map(cookies));
  const managed = provider.managedParameters.filter((parameter) => parameter.in === "query");
  const query = new Map([
    ...managed.map((parameter) => [parameter.name, revealed(parameter.value)] as const),
    ...Object.entries(credential.query).map(([name, value]) => [name, value.reveal()] as const),
  ]);
  return { url: withQuery(url, query), headers: dressed };
}

/** The added cookies take the place of those of the same names. Their values are sent as they are. */
function withCookies(header: string | undefined, added: ReadonlyMap<string, string>): string {
  const kept = (header ?? "").split(";").flatMap((pair) => {
    const text = pair.trim();
    return text === "" || added.has(text.split("=", 1)[0] ?? "") ? [] : [text];
  });
  return [...kept, ...[...added].map(([name, value]) => `${name}=${value}`)].join("; ");
}

/** The added pairs take the place of those of the same names; the rest of the URL stays as it is written. */
function withQuery(url: string, added: ReadonlyMap<string, string>): string {
  if (added.size === 0) return url;
  const entries = [...added];
  const mark = url.indexOf("?");
  const target = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? "" : url.slice(mark + 1);
  const names = entries.map(([name]) => encodeName(name));
  const kept = query.split("&").filter((pair) => pair !== "" && !names.includes(pair.split("=", 1)[0] ?? ""));
  const pairs = entries.map(([name, value]) => `${encodeName(name)}=${encodeValue(value)}`);
  return `${target}?${[...kept, ...pairs].join("&")}`;
}
