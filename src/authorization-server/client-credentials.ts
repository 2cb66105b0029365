import { OAuthError } from "./oauth-error.ts";

/**
 * Puts what a client proves itself with into its form, whether it came there or in an `Authorization` header (RFC 6749, section 2.3.1): a
 * client may use either. An empty secret is none. Gives whether the header was used. Throws {@link OAuthError} `invalid_request` for a
 * header that is none and for two ways at once, which may hide a mistake.
 */
export function readClientCredentials(form: URLSearchParams, authorization: string | undefined): boolean {
  if (form.get("client_secret") === "") form.delete("client_secret");
  if (authorization === undefined) return false;
  const basic = /^basic[ \t]+([A-Za-z0-9+/]+={0,2})[ \t]*$/i.exec(authorization)?.[1];
  if (basic === undefined) {
    throw invalid(
      "The Authorization header is none that this endpoint knows. Use Basic with client_id and client_secret, or send them in the body.",
    );
  }
  const text = Buffer.from(basic, "base64").toString("utf8");
  const mark = text.indexOf(":");
  if (mark === -1)
    throw invalid("The Authorization header has no colon between client_id and client_secret.");
  const [id, secret] = [decode(text.slice(0, mark)), decode(text.slice(mark + 1))];
  if (form.has("client_secret")) {
    throw invalid(
      "The client authenticates in two ways at once, by the Authorization header and by client_secret in the body. Send one of them.",
    );
  }
  const named = form.get("client_id");
  if (named !== null && named !== id)
    throw invalid("The Authorization header names another client than client_id in the body does.");
  form.set("client_id", id);
  if (secret !== "") form.set("client_secret", secret);
  return true;
}

/** Both parts are form-encoded before they are put together, which many clients forget. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    return text;
  }
}

function invalid(description: string): OAuthError {
  return new OAuthError("invalid_request", description);
}
