import { isRegistrationId } from "../identity/registration-record.ts";
import type { AuthorizationServerConfig } from "../model/auth-config.ts";
import { problemOfRedirectUri } from "../redirect-uri-form.ts";
import type { KnownClient } from "./client-rules.ts";
import { describeMismatch, shownInDescription } from "./redirect-uri.ts";

/** See `ClientRules.describeUnknown`. */
export function describeUnknown(id: string, settings: AuthorizationServerConfig | undefined): string {
  const registration = settings?.dynamicRegistration;
  const again =
    registration === undefined
      ? "Clients can't register themselves here: ask the gateway's operator for one (auth.authorization_server.clients)."
      : "Let the client register again; in most programs, by removing this server and adding it anew, or by forgetting its sign-in.";
  if (isRegistrationId(id)) {
    const unused =
      registration === undefined
        ? ""
        : `, or it has gone since nobody used it for ${describeTime(registration.unusedMilliseconds)}`;
    return `This client is not registered here any more. An operator of the gateway may have revoked it${unused}. ${again}`;
  }
  return `There is no client ${shownInDescription(id.slice(0, 100))} here. It may belong to another gateway, or be misspelt. ${again}`;
}

/** See `ClientRules.describeRedirectUri`. What the file says of a client is not told to whoever asks. */
export function describeRedirectUri(
  client: Pick<KnownClient, "id" | "kind" | "redirectUris">,
  uri: string,
  schemes: readonly string[],
): string {
  if (uri === "")
    return "The request has no redirect_uri. The client has to send the one that it means, even if it has only one.";
  const shown = shownInDescription(uri);
  const { nearest, what } = describeMismatch(client.redirectUris, uri);
  const mend = {
    static: `The gateway's operator can add it (auth.authorization_server.clients.${shownInDescription(client.id)}.redirect_uris).`,
    metadata: "The client's developer can add it to the metadata document of the client.",
    registered: "Let the client register again, with this address among its redirect_uris.",
  }[client.kind];
  const problem = problemOfRedirectUri(uri, schemes);
  if (problem !== undefined) return `The client asked to send the sign-in to ${shown}. ${problem}`;
  const compared =
    nearest === undefined || client.kind === "static"
      ? `Compared with the nearest one that is, ${what}.`
      : `The nearest one that is: ${shownInDescription(nearest)}; ${what}.`;
  return `The client asked to send the sign-in to ${shown}, which is not one of its redirect URIs. ${compared} They are compared to the letter, but for the port of loopback addresses. ${mend}`;
}

/** See `ClientRules.describeMethod`. */
export function describeMethod(client: KnownClient, hasSecret: boolean): string {
  if (client.authenticationMethod === "none") {
    return hasSecret
      ? "This client has no secret, but sent one. Send its client_id alone, and PKCE."
      : "This client authenticates by its client_id alone (token_endpoint_auth_method none), in the body of the request.";
  }
  return hasSecret
    ? "This client authenticates with its client_id and client_secret, by HTTP Basic or in the body of the request, and in no other way."
    : "This client has a secret, and did not send it. Send client_id and client_secret, by HTTP Basic or in the body of the request.";
}

function describeTime(milliseconds: number): string {
  const hours = Math.round(milliseconds / 3_600_000);
  if (hours < 1) return `${Math.max(1, Math.round(milliseconds / 60_000))} minutes`;
  if (hours < 48) return hours === 1 ? "an hour" : `${hours} hours`;
  return `${Math.round(hours / 24)} days`;
}
