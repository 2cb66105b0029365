import type { JsonObject, JsonValue } from "../../../src/model/json.ts";

/** How an authorization server of the tests behaves. Without anything: as a strict and good one. */
export interface AuthorizationServerOptions {
  /** Path of the issuer, such as `/acme`; default: none. All endpoints are below it. */
  readonly issuerPath?: string;
  /** Default: {@link defaultClient}. */
  readonly clients?: readonly KnownClient[];
  /** Where metadata is served; default: everywhere. `changes` replaces members, `undefined` removes them. */
  readonly metadata?: {
    readonly oauth?: boolean;
    readonly oidc?: boolean;
    readonly changes?: Readonly<Record<string, JsonValue | undefined>>;
  };
  /** A user for whom everything is allowed without a page. */
  readonly autoApprove?: string | undefined;
  /** Default `required`; `none`: the server knows nothing of it and does not announce it. */
  readonly pkce?: "required" | "optional" | "none";
  /** RFC 9207: default true, announced and sent; false: neither; a text is sent in place of the right one; `missing`: only announced. */
  readonly responseIssuer?: boolean | "missing" | { readonly wrong: string };
  /** Default `rotating`, where a second use ends the whole grant. */
  readonly refreshTokens?: "rotating" | "constant" | "none";
  /** Default 300. */
  readonly accessTokenSeconds?: number;
  /** Scopes that exist; default: all. */
  readonly scopes?: readonly string[];
  readonly scopeParameter?: string;
  readonly scopeSeparator?: string;
  /** Resources (RFC 8707) that exist; default: all, and none is needed. */
  readonly resources?: readonly string[];
  /** How token requests may be written; default `form`. */
  readonly exchange?: "form" | "json" | "both";
  readonly answer?: AnswerShape;
  /** RFC 7591; default `off`. `secrets`: clients get one unless they ask for `none`. */
  readonly registration?: "off" | "public" | "secrets";
  /** Clients whose id is the URL of a document; default false. */
  readonly clientIdMetadata?: boolean;
  /** Fetches that document; default: over the network. */
  readonly fetchDocument?: (url: string) => Promise<unknown>;
  /** RFC 7009; default true. */
  readonly revocation?: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A client that the server knows. */
export interface KnownClient {
  readonly id: string;
  /** `undefined`: a public client. */
  readonly secret?: string | undefined;
  /** The only way that it may authenticate; `undefined`: any. */
  readonly auth?: "header" | "body" | "none" | undefined;
  /** Compared exactly; `undefined`: any (tests that don't know their port yet). */
  readonly redirectUris?: readonly string[] | undefined;
}

export const defaultClient: KnownClient = { id: "gateway", secret: "s3cret of:the+gateway/%" };

/** How answers of the token endpoint differ from RFC 6749. */
export interface AnswerShape {
  readonly accessTokenPath?: readonly string[];
  /** Further members, deeply beside the others. */
  readonly extra?: JsonObject;
  /** `form_unless_json_is_asked`: as GitHub does without `Accept`. */
  readonly encoding?: "json" | "form" | "form_unless_json_is_asked";
  readonly expiresIn?: "number" | "string" | "absent";
  /** `null`: absent. */
  readonly tokenType?: string | null;
  /** Whether granted scopes are told; default true. */
  readonly scope?: boolean;
  /** Errors come with status 200, as GitHub and Slack do; `ok`: with Slack's `{"ok": false}`. */
  readonly errorsWith200?: boolean | "ok";
}

/** Parts of the server that can fail by themselves. */
export type EndpointName = "metadata" | "authorize" | "token" | "revoke" | "register";

/** What goes wrong in place of an answer. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly kind: "error";
      readonly error: string;
      /** Default 400, or 401 for `invalid_client`. */
      readonly status?: number;
      readonly description?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is reset; with `carriedOut` only after everything has been done. */
  | { readonly kind: "reset"; readonly carriedOut?: boolean }
  /** Answers rightly, but late. */
  | { readonly kind: "slow"; readonly milliseconds: number }
  /** Headers come, then one byte at a time, for ever. */
  | { readonly kind: "drip" }
  | { readonly kind: "silent" }
  | { readonly kind: "garbage" }
  | { readonly kind: "html" }
  | { readonly kind: "redirect"; readonly location: string; readonly status?: number }
  | { readonly kind: "huge" }
  | { readonly kind: "body"; readonly body: string; readonly type?: string; readonly status?: number };

/** A request as it came. */
export interface RecordedRequest {
  readonly endpoint: EndpointName | undefined;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of the query and of the body, whether form or JSON; of repeated ones the last. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What an access token stands for. */
export interface Grant {
  readonly user: string;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}
