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

/** Whether a query carries what looks like one of the gateway's API tokens, whatever the parameter. */
export function carriesToken(query: string): boolean {
  if (query === "") return false;
  return [...new URLSearchParams(query)].some(([name, value]) => {
    const isExpected = tokenParameters.has(name.toLowerCase()) && value.startsWith("gst_");
    return isExpected || wholeToken.test(value) || wholeToken.test(name);
  });
}

/** A text for the log, without what looks like an API token in it. */
export function withoutTokens(text: string): string {
  return text.replace(/gst_[A-Za-z0-9_-]{8,}/g, "gst_[redacted]");
}

/** Long enough to be no talk about tokens. */
const wholeToken = /gst_api_[A-Za-z0-9_-]{20}/;
