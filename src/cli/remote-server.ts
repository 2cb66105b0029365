import { Secret } from "../secret.ts";
import type { RemoteServer } from "./remote/http.ts";
import { parseServerUrl } from "./remote/server-url.ts";
import { readSessions, sessionsFile } from "./saved-sessions.ts";
import { UsageError } from "./usage-error.ts";

/** What a command says of the gateway that it talks to. */
export interface RemoteOptions {
  readonly server: string;
  readonly tenant: string | undefined;
  /** Whether a credential may travel unencrypted. */
  readonly insecure: boolean;
}

/** The gateway that a command talks to, as whoever signed in there: by `GATEWAY_TOKEN`, else by the session that `login` kept. */
export async function remoteServer(
  { server, tenant, insecure }: RemoteOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RemoteServer> {
  const url = parseServerUrl(server, insecure);
  const token = (environment["GATEWAY_TOKEN"] ?? "").trim();
  if (token !== "") {
    // What fetch says of a header that it can't send has the header in it.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError("the variable GATEWAY_TOKEN holds no API token.");
    const howToSignIn = `${url.origin} refuses the token in the variable GATEWAY_TOKEN: it has expired, was revoked, or belongs to another gateway.`;
    return { url, credential: { kind: "token", secret: new Secret(token) }, tenant, howToSignIn };
  }
  const saved = (await readSessions(sessionsFile(environment))).get(url.origin);
  const how = `\`gateway login --server ${url.href.replace(/\/$/, "")} ${saved?.name ?? "NAME"}\`, or set GATEWAY_TOKEN to an API token`;
  return {
    url,
    credential: saved === undefined ? undefined : { kind: "session", secret: saved.session },
    tenant,
    howToSignIn:
      saved === undefined
        ? `${url.origin} wants to know who calls. Sign in with ${how}.`
        : `Your session at ${url.origin} has ended. Sign in again with ${how}.`,
  };
}
