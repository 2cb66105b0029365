import type { OwnAddress } from "../own-address.ts";
import { findResource, readScopes, withContained } from "./resources.ts";

/**
 * Parameters of an authorization request that mean something to OpenID Connect only, or to nobody here. Plain OAuth ignores what it does not
 * know (RFC 6749, section 3.1), and clients send them whether or not they get an ID token.
 */
const ignored = ["nonce", "display", "ui_locales", "claims_locales", "login_hint", "acr_values"];

/**
 * An authorization request as the protocol library takes it. What a client asks for beyond what there is here is left out instead of
 * refused, since clients ask for scopes of other servers; without a scope it asks for everything that the person may use. Who may use
 * everything may be given what only reads. Parameters that come twice stay so, and are refused by the library.
 */
export function normalizeAuthorization(query: URLSearchParams, address: OwnAddress): URLSearchParams {
  const request = new URLSearchParams([...query].filter(([name]) => !ignored.includes(name)));
  if (query.getAll("scope").length < 2) {
    const asked = readScopes(query.get("scope") ?? "");
    request.set("scope", withContained(asked.length === 0 ? ["mcp"] : asked).join(" "));
  }
  // Somebody is asked each time, on a page that says who is signed in and lets that be changed. So nothing else is left of it.
  if (query.getAll("prompt").length === 1) {
    if ((query.get("prompt") ?? "").split(" ").includes("none")) request.set("prompt", "none");
    else request.delete("prompt");
  }
  // Other modes put the code into a page or a fragment, where scripts find it; the library refuses what it does not know.
  if (query.has("response_mode") && query.get("response_mode") !== "query")
    request.set("response_mode", "unsupported");
  normalizeResources(request, address);
  return request;
}

/** Puts resources in the form that tokens hold them in; those of others stay as they are, and are refused by the library. */
function normalizeResources(request: URLSearchParams, address: OwnAddress): void {
  const asked = request.getAll("resource").filter((resource) => resource !== "");
  request.delete("resource");
  const resources = new Set(asked.map((resource) => findResource(address, resource) ?? resource));
  for (const resource of resources) request.append("resource", resource);
}

/** The same for a request for tokens. What it asks for beyond what there is here is left out. */
export function normalizeTokenRequest(request: URLSearchParams, address: OwnAddress): void {
  normalizeResources(request, address);
  const scopes = request.get("scope");
  if (scopes === null) return;
  const asked = readScopes(scopes);
  if (asked.length === 0) request.delete("scope");
  else request.set("scope", asked.join(" "));
}
