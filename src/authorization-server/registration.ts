import { networkOf } from "../identity/sign-in-limits.ts";
import { type AttemptLimiter, createAttemptLimiter } from "../limits/attempt-limiter.ts";
import type { DynamicRegistrationConfig } from "../model/auth-config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { type ClientMetadata, grantTypes, readClientMetadata } from "./client-metadata.ts";
import { ClientProblem } from "./client-rules.ts";
import { hashOfClientSecret, newClientSecret } from "./client-secrets.ts";
import { readJsonBody } from "./json-body.ts";
import type { Registrations } from "./registrations.ts";

/** What registering depends on, as of now. */
export interface RegistrationSettings {
  /** `undefined`: clients can't register themselves. */
  readonly registration: DynamicRegistrationConfig | undefined;
  readonly redirectSchemes: readonly string[];
  readonly readsDocuments: boolean;
}

/** Registers a client from the body of its request; see `ClientRules.register`. */
export type Register = (
  body: Uint8Array,
  contentType: string | undefined,
  address: string,
) => Promise<JsonObject>;

const methods = ["none", "client_secret_basic", "client_secret_post"] as const;
const mostBytes = 64 * 1024;
const hour = 3_600_000;

/**
 * Dynamic registration (RFC 7591), open to anybody and therefore bounded: by address, and by how many that nobody uses are kept. There is no
 * way to change a registration (RFC 7592); a client registers again.
 */
export function createRegister(parts: {
  readonly settings: () => RegistrationSettings;
  readonly registrations: Registrations;
  readonly now: () => number;
}): Register {
  let limits: { readonly perHour: number; readonly limiter: AttemptLimiter } | undefined;

  /** Counts what is kept only: who is told of a mistake may try again at once. Gives how to take it back. */
  function take(perHour: number, address: string): () => void {
    if (limits?.perHour !== perHour) {
      const limiter = createAttemptLimiter({ attempts: perHour, refill: hour / perHour }, parts.now);
      limits = { perHour, limiter };
    }
    const { limiter } = limits;
    const network = networkOf(address);
    const wait = limiter.take(network);
    if (wait === undefined) return () => limiter.giveBack(network);
    const seconds = Math.max(1, Math.ceil(wait / 1_000));
    throw new ClientProblem(
      "temporarily_unavailable",
      `Too many clients have registered from this address. Try again in ${seconds} s, and keep the client_id of a registration: it can be used again.`,
      { status: 429, retryAfter: seconds },
    );
  }

  return async (body, contentType, address) => {
    const { registration, redirectSchemes, readsDocuments } = parts.settings();
    if (registration === undefined) throw switchedOff(readsDocuments);
    const metadata = readClientMetadata(parse(body, contentType), methods, redirectSchemes);
    const giveBack = take(registration.perHour, address);
    // RFC 7591, section 2: who does not say how it authenticates has a secret.
    const authenticationMethod = metadata.authenticationMethod ?? "client_secret_basic";
    const secret = authenticationMethod === "none" ? undefined : newClientSecret();
    const { name, redirectUris } = metadata;
    const secretHash = secret && hashOfClientSecret(secret);
    const added = parts.registrations.add({ name, redirectUris, authenticationMethod, secretHash });
    added.catch(giveBack);
    const { id, createdAt } = await added;
    return {
      client_id: id,
      client_id_issued_at: Math.floor(createdAt / 1_000),
      ...(secret === undefined ? {} : { client_secret: secret.reveal(), client_secret_expires_at: 0 }),
      ...describe(metadata),
      token_endpoint_auth_method: authenticationMethod,
    };
  };
}

/** What was registered, which may be less than what was asked for (RFC 7591, 3.2.1). */
function describe({ name, redirectUris, scopes }: ClientMetadata): JsonObject {
  return {
    ...(name === undefined ? {} : { client_name: name }),
    redirect_uris: redirectUris,
    grant_types: grantTypes,
    response_types: ["code"],
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
  };
}

function parse(body: Uint8Array, contentType: string | undefined): JsonValue {
  if (body.byteLength > mostBytes)
    throw malformed(`The registration has more than ${mostBytes / 1024} KB. Send what RFC 7591 needs only.`);
  const read = readJsonBody(body, contentType);
  if (read.ok) return read.value;
  throw malformed(`The registration ${read.problem}.`);
}

function malformed(description: string): ClientProblem {
  return new ClientProblem("invalid_client_metadata", description);
}

function switchedOff(readsDocuments: boolean): ClientProblem {
  const documents = readsDocuments
    ? "A client with a metadata document can use the address of the document as its client_id without registering. Otherwise ask"
    : "Ask";
  return new ClientProblem(
    "access_denied",
    `Clients can't register themselves at this gateway. ${documents} the gateway's operator for a client of your own (auth.authorization_server.clients), or to turn registration on (auth.authorization_server.dynamic_registration).`,
    { status: 403 },
  );
}
