import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../model/principal.ts";

/**
 * The gateway's own authorization server for MCP clients (OAuth 2.1 draft; RFC 6749, 7009, 7591, 7636, 8252, 8414, 8707, 9207, 9700), off
 * unless `auth.authorization_server` is there. Its tokens are opaque, of this gateway alone, and kept as hashes.
 */
export interface AuthorizationServer {
  /** Whether a path is one of its endpoints or its metadata; always false while it is off. */
  owns(path: string): boolean;
  /**
   * Serves one of its endpoints, from the first to the last byte. `Host` was checked. Rejects with a `GatewayError` for what is refused
   * before OAuth begins, such as a body that is too large.
   *
   * @param target the request's path and query, and the address of whoever caused it, for what counts by address.
   */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    target: { readonly path: string; readonly query: string; readonly address: string },
  ): Promise<void>;
  /**
   * What a browser is asked for a client. Throws `GatewayError` `not_found`, in words for the person, where there is no such question any
   * more, or it was not begun in this browser.
   *
   * @param id from the address of the page.
   * @param cookies the request's `Cookie` header.
   * @param use `answer`: to answer it, which may be done twice in the same way; an answered one is found too.
   */
  question(id: string, cookies: string | undefined, use?: "answer"): Promise<ConsentQuestion>;
  /**
   * The person has agreed, or has not. Counts once; the very same answer gets the very same URL as long as the browser has not gone on, since
   * people press twice. Gives the URL that the browser goes on with, on this gateway. Throws like `question`;
   * `conflict` for a seal of somebody else, `forbidden` for who is no person or lets too many clients act for them already, `bad_request` for
   * scopes that were not asked for.
   *
   * @param principal whoever is signed in, by a session.
   */
  answer(
    id: string,
    cookies: string | undefined,
    principal: Principal,
    decision: ConsentDecision,
  ): Promise<string>;
}

/** What a client asks a person for. Everything that comes from the client is unchecked text, made printable and short. */
export interface ConsentQuestion {
  readonly id: string;
  readonly clientId: string;
  /** What it calls itself; its id where it says nothing. */
  readonly clientName: string;
  /** How it is known; see `ClientGrant`. */
  readonly clientKind: "static" | "metadata" | "registered";
  /** The https host that vouches for it: of its metadata document; `undefined` for others. */
  readonly clientHost: string | undefined;
  /** Where the code will go, checked against the client's redirect URIs. */
  readonly redirectUri: string;
  /** Scopes that can be agreed to: `mcp` for everything the person may use, `mcp:read` for what only reads. Never empty. */
  readonly scopes: readonly OAuthScope[];
  /** Base URL and surface that the token will be for. */
  readonly resource: string;
  /** A text that binds the form to this question and to whoever sees it; see `ConsentDecision.seal`. */
  seal(principal: Principal): string;
}

/** What the authorization server's scopes are called. */
export type OAuthScope = "mcp" | "mcp:read";

/** What a person says to a question. */
export type ConsentDecision =
  | {
      readonly kind: "agree";
      /** A part of what was asked for; not empty. */
      readonly scopes: readonly OAuthScope[];
      /** From the form: `ConsentQuestion.seal` of the same principal, or the answer is refused with `conflict`: somebody else is signed in now. */
      readonly seal: string;
    }
  | { readonly kind: "refuse"; readonly seal: string };
