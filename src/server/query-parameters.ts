/** A query with one parameter taken out of it. */
export interface TakenParameter {
  /** Its values, decoded, in order. */
  readonly values: readonly string[];
  /** The query without it, otherwise as it was sent. */
  readonly rest: string;
}

const nothingTaken: TakenParameter = { values: [], rest: "" };

/** Takes all occurrences of a parameter out of a query, read as browsers write forms (`+` is a space). */
export function takeParameter(query: string, name: string): TakenParameter {
  if (query === "") return nothingTaken;
  const values: string[] = [];
  const rest = query.split("&").filter((piece) => {
    const [pair] = new URLSearchParams(piece);
    if (pair?.[0] !== name) return true;
    values.push(pair[1]);
    return false;
  });
  return { values, rest: rest.join("&") };
}

/** Parameters in which other software takes tokens. */
const tokenParameters = new Set(["access_token", "api_key", "apikey", "api_token", "auth", "key", "token"]);

/**
 * Whether a query carries what looks like one of the gateway's tokens, whatever the parameter, or any token where access tokens are put
 * (RFC 6750, section 2.3).
 */
export function carriesToken(query: string): boolean {
  if (query === "") return false;
  return [...new URLSearchParams(query)].some(([name, value]) => {
    const isExpected = tokenParameters.has(name.toLowerCase()) && value.startsWith("gst_");
    if (name.toLowerCase() === "access_token" && jwtForm.test(value)) return true;
    return isExpected || wholeToken.test(value) || wholeToken.test(name);
  });
}

/** Whether a value is no token but an API token, which alone may come in the query where the operator says so. */
export function mayComeInQuery(value: string): boolean {
  return !jwtForm.test(value) && !/^gst_(?!api_)/.test(value);
}

/** A text for the log, without what looks like a token in it. */
export function withoutTokens(text: string): string {
  return text
    .replace(/gst_[A-Za-z0-9_-]{8,}/g, "gst_[redacted]")
    .replace(/eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, "[redacted]");
}

/** Long enough to be no talk about tokens. */
const wholeToken = /gst_(?:api|oat|ort)_[A-Za-z0-9_-]{20}/;
/** What may be a JSON Web Token (RFC 7515, section 7.1), signed or not. */
const jwtForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
