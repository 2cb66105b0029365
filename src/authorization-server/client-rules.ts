import type { JsonObject } from "../model/json.ts";

/** A client of the authorization server, however it is known. What it says of itself is unchecked text, printable and short. */
export interface KnownClient {
  readonly id: string;
  /** What it calls itself; its id where it says nothing. */
  readonly name: string;
  /** See `ClientGrant.clientKind`. */
  readonly kind: "static" | "metadata" | "registered";
  /** The https host of its metadata document; `undefined` for others. */
  readonly host: string | undefined;
  /** Never empty. */
  readonly redirectUris: readonly string[];
  /** `none`: PKCE alone proves it. Otherwise it has a secret, which it may send in either way. */
  readonly authenticationMethod: "none" | "client_secret_basic" | "client_secret_post";
  /** What its secret is compared with; `undefined` with `none`. */
  readonly secretHash: string | undefined;
}

/** Which clients there are, how they register, where codes may go. It knows nothing of the library that the provider is made of. */
export interface ClientRules {
  /**
   * The client of an id: of the file, registered, or by the document at its id. `undefined`: there is none. Throws {@link ClientProblem}
   * where there is something to say about why not, and `GatewayError` `store_unavailable`.
   *
   * @param address where the request came from, for limits on the documents that are fetched for it.
   */
  find(id: string, address?: string): Promise<KnownClient | undefined>;
  /**
   * Registers a client (RFC 7591) and gives the answer of the 201, its secret among it, which is told this once. Throws
   * {@link ClientProblem}, and `GatewayError` `store_unavailable`.
   *
   * @param body the request's, as it came; of more than 64 KB the beginning is enough to be refused.
   * @param contentType the request's.
   * @param address where the request came from, for limits.
   */
  register(body: Uint8Array, contentType: string | undefined, address: string): Promise<JsonObject>;
  /** Whether codes may go to a URI, which counts to the letter. */
  isRedirectUriAllowed(client: KnownClient, uri: string): boolean;
  /** What is wrong with a secret that a client presents, for its developer; `undefined`: it is the right one. In constant time. */
  problemOfSecret(client: KnownClient, given: string): string | undefined;
  /**
   * For the developer of a client that authenticates by another way than it has to.
   *
   * @param hasSecret whether it presented one.
   */
  describeMethod(client: KnownClient, hasSecret: boolean): string;
  /** For the developer of a client or whoever uses it: why there may be no client of this id, and what to do. */
  describeUnknown(id: string): string;
  /** The same for a redirect URI that is not allowed: in what it differs. */
  describeRedirectUri(client: KnownClient, uri: string): string;
  /** Tells that the client has got tokens, for what is removed without use. Never rejects. */
  used(client: Pick<KnownClient, "id" | "kind">): Promise<void>;
}

/** `temporarily_unavailable`: the same may work later. `access_denied`: registration is switched off. */
export type ClientProblemCode =
  | "invalid_client"
  | "invalid_redirect_uri"
  | "invalid_client_metadata"
  | "temporarily_unavailable"
  | "access_denied";

/** Why a client is refused, in words for its developer. */
export class ClientProblem extends Error {
  override readonly name = "ClientProblem";
  /** The code of RFC 6749, section 5.2, or RFC 7591, section 3.2.2. */
  readonly error: ClientProblemCode;
  /** Of the answer. */
  readonly status: number;
  /** Seconds, for `Retry-After`; `undefined`: waiting does not help. */
  readonly retryAfter: number | undefined;

  constructor(
    error: ClientProblemCode,
    message: string,
    options: {
      readonly status?: number;
      readonly retryAfter?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.error = error;
    this.status = options.status ?? 400;
    this.retryAfter = options.retryAfter;
  }
}
