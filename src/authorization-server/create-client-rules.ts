import type { AuthorizationServerConfig } from "../model/auth-config.ts";
import { problemOfRedirectUri } from "../redirect-uri-form.ts";
import type { Store } from "../store/store.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { ClientProblem, type ClientRules, type KnownClient } from "./client-rules.ts";
import { problemOfClientSecret } from "./client-secrets.ts";
import { describeMethod, describeRedirectUri, describeUnknown } from "./describe-client.ts";
import { createMetadataDocuments } from "./metadata-documents.ts";
import { isDocumentAddress } from "./read-metadata-document.ts";
import { allowsRedirect } from "./redirect-uri.ts";
import { createRegister } from "./registration.ts";
import { createRegistrations } from "./registrations.ts";
import { findStaticClient } from "./static-clients.ts";

/** What the rules for clients stand on. */
export interface ClientRulesParts {
  /** As of now; a reload changes it. `undefined`: the authorization server is off, and there are no clients. */
  readonly settings: () => AuthorizationServerConfig | undefined;
  readonly store: () => Store | undefined;
  readonly http: HttpClient;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Puts the three kinds of clients together. Made once; documents and counts of attempts are kept in it over reloads. */
export function createClientRules(parts: ClientRulesParts): ClientRules {
  const { settings, now, log } = parts;
  const schemes = (): readonly string[] => settings()?.redirectSchemes ?? [];
  const registrations = createRegistrations({
    ...{ store: parts.store, now, log },
    bounds: () => ({
      mostUnused: settings()?.dynamicRegistration?.mostUnused ?? 0,
      unusedMilliseconds: settings()?.dynamicRegistration?.unusedMilliseconds ?? 0,
      grantMilliseconds: settings()?.refreshTokenMilliseconds ?? 0,
    }),
  });
  const register = createRegister({
    ...{ registrations, now },
    settings: () => ({
      registration: settings()?.dynamicRegistration,
      redirectSchemes: schemes(),
      readsDocuments: settings()?.clientIdMetadata !== undefined,
    }),
  });
  const documents = createMetadataDocuments({
    ...{ http: parts.http, now, log },
    settings: () => ({
      allowedHosts: settings()?.clientIdMetadata?.allowedHosts,
      redirectSchemes: schemes(),
    }),
  });

  async function findRegistered(id: string): Promise<KnownClient | undefined> {
    const found = await registrations.find(id);
    if (found === undefined) return undefined;
    const { clientName: name, redirectUris: registered, authenticationMethod, secretHash } = found;
    // A scheme that is not allowed any more is not allowed to those either that registered before.
    const redirectUris = registered.filter((uri) => problemOfRedirectUri(uri, schemes()) === undefined);
    if (redirectUris.length === 0) {
      throw new ClientProblem(
        "invalid_client",
        "None of the addresses that this client registered is allowed here any more. The gateway's operator can change that (auth.authorization_server.redirect_schemes).",
      );
    }
    const host = undefined;
    return { id, kind: "registered", name, host, redirectUris, authenticationMethod, secretHash };
  }

  return {
    async find(id, address) {
      const current = settings();
      if (current === undefined) return undefined;
      const known = findStaticClient(current.clients, id);
      if (known !== undefined) return known;
      if (!isDocumentAddress(id)) return await findRegistered(id);
      if (current.clientIdMetadata !== undefined) return await documents.find(id, address);
      throw new ClientProblem(
        "invalid_client",
        "This gateway does not take addresses of metadata documents for client ids. Let the client register, or ask the gateway's operator to turn them on (auth.authorization_server.client_id_metadata).",
      );
    },
    register,
    isRedirectUriAllowed: (client, uri) => allowsRedirect(client.redirectUris, uri),
    problemOfSecret: (client, given) => problemOfClientSecret(client.secretHash, given, client.kind),
    describeMethod,
    describeUnknown: (id) => describeUnknown(id, settings()),
    describeRedirectUri: (client, uri) => describeRedirectUri(client, uri, schemes()),
    async used({ id, kind }) {
      if (kind === "registered") await registrations.used(id);
    },
  };
}
