import type { GrantRecord } from "../identity/grant-record.ts";
import type { KnownClient } from "./client-rules.ts";
import type { CodeRecord } from "./code-record.ts";
import type { RefreshRecord } from "./refresh-record.ts";

/**
 * What one request has found and wants to change. The protocol library reads and writes piece by piece; what it wants to write at the token
 * endpoint is kept here, and written at the end in one piece, or not at all.
 */
export interface RequestState {
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
  /** Where the request came from, for limits. */
  readonly address: string;
  /** As the library has got them. */
  readonly parameters: URLSearchParams;
  client?: KnownClient;
  /** What is wrong with the secret that the client has presented. */
  secretProblem?: string;
  grant?: { readonly tenant: string; readonly record: GrantRecord };
  /** A question was stored. */
  isAsked?: true;
  /** Of the question that the browser comes back from. */
  interaction?: { readonly id: string; readonly version: number };
  presented?: PresentedCode | PresentedRefresh;
  /** An access token that is revoked by itself. */
  revokedAccess?: { readonly tenant: string; readonly id: string };
  access?: { readonly token: string; readonly scopes: readonly string[]; readonly audience: string };
  refresh?: { readonly token: string; readonly scopes: readonly string[]; readonly resource: string };
  /** The grant that the library has asked to end, with all its tokens. */
  ended?: string;
  /** What the library has refused the request with; whatever it has thrown. */
  failure?: unknown;
}

/** A code that the request presents. */
export interface PresentedCode {
  readonly kind: "code";
  readonly token: string;
  readonly record: CodeRecord;
}

/** A refresh token that the request presents. */
export interface PresentedRefresh {
  readonly kind: "refresh";
  readonly token: string;
  readonly record: RefreshRecord;
}
