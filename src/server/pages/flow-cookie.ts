import { hash, randomBytes } from "node:crypto";

/**
 * What of the cookie's name all flows share. Each flow has a cookie of its own, so that several can be under way. For the prefix see
 * the session's cookie.
 */
const prefix = "__Host-gateway-flow-";
const seconds = 600;
/** More than anybody has under way; older ones give way, so that requests keep small headers. */
const mostCookies = 10;
const attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";

/** The browser that a flow was begun in. */
export interface FlowBrowser {
  /** A secret of this flow and this browser. */
  readonly secret: string;
  /** The tenant that the flow is for; `undefined`: the principal's own. */
  readonly tenant: string | undefined;
}

/** A secret for a flow that begins. */
export function newFlowSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What the flow itself keeps of the secret. */
export function browserOf(secret: string): string {
  return hash("sha256", secret, "base64url");
}

/** `Set-Cookie` headers that bind a flow to the browser that they are sent to. `state`: what the callback will name it by. */
export function writeFlowCookie(
  state: string,
  { secret, tenant }: FlowBrowser,
  cookies: string | undefined,
): readonly string[] {
  const own = nameFor(state);
  const others = flowCookies(cookies).flatMap(([name]) => (name === own ? [] : [name]));
  const superfluous = others.slice(0, Math.max(0, others.length - mostCookies + 1));
  return [
    ...superfluous.map(removal),
    `${own}=${secret}${tenant === undefined ? "" : `.${tenant}`}; ${attributes}; Max-Age=${seconds}`,
  ];
}

/** `Set-Cookie` that takes the cookie of a flow away. */
export function clearFlowCookie(state: string): string {
  return removal(nameFor(state));
}

/** The browser that a callback comes from, as far as it is one that the flow was begun in. */
export function readFlowCookie(state: string, cookies: string | undefined): FlowBrowser | undefined {
  const name = nameFor(state);
  const [found, ...more] = flowCookies(cookies).filter(([candidate]) => candidate === name);
  // Of several one was put there by somebody else, and nobody knows which.
  if (found === undefined || more.length > 0) return undefined;
  const match = /^([A-Za-z0-9_-]{43})(?:\.([a-z0-9][a-z0-9_-]{0,62}))?$/.exec(found[1]);
  return match?.[1] === undefined ? undefined : { secret: match[1], tenant: match[2] };
}

function nameFor(state: string): string {
  return `${prefix}${hash("sha256", state, "hex").slice(0, 16)}`;
}

function removal(name: string): string {
  return `${name}=; ${attributes}; Max-Age=0`;
}

/** Names and values, by the same strict reading as that of the session's cookie. */
function flowCookies(header: string | undefined): readonly (readonly [name: string, value: string])[] {
  return (header ?? "").split(";").flatMap((pair) => {
    const match = /^[ \t]*(__Host-gateway-flow-[0-9a-f]{16})[ \t]*=[ \t]*(.*?)[ \t]*$/.exec(pair);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const];
  });
}
