/** Longest wait for the answer of a gateway elsewhere. */
const longestWait = 5_000;

/**
 * How a gateway elsewhere wants its MCP clients to sign in, by what it says to a request without a credential: `oauth` where it names
 * who issues tokens (RFC 9728, section 5.1), `token` where it only refuses, `none` where it does not, `undefined` where it can't be asked.
 *
 * @param endpoint its MCP endpoint. Nothing secret is sent there, and redirects are not followed.
 */
export async function askHowToSignIn(endpoint: URL): Promise<"oauth" | "token" | "none" | undefined> {
  try {
    const response = await fetch(endpoint, {
      headers: { accept: "application/json, text/event-stream" },
      redirect: "manual",
      signal: AbortSignal.timeout(longestWait),
    });
    await response.body?.cancel();
    if (response.status === 401) {
      return /\bresource_metadata=/i.test(response.headers.get("www-authenticate") ?? "") ? "oauth" : "token";
    }
    // What answers as an MCP endpoint does without a session; anything else may be a page in between.
    return [200, 400, 405, 406].includes(response.status) ? "none" : undefined;
  } catch {
    // Told by whoever asked: the configuration is printed anyway.
    return undefined;
  }
}
