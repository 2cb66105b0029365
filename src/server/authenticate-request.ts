import { GatewayError } from "../errors.ts";
import type { Identity, Presented, ProtectedSurface } from "../identity/identity.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { Principal } from "../model/principal.ts";
import type { Secret } from "../secret.ts";
import { createOriginCheck, type OriginCheck } from "./check-origin.ts";
import { checkPrincipal } from "./check-principal.ts";
import { type Exchange, isReceived } from "./exchange.ts";
import { takeParameter, withoutTokens } from "./query-parameters.ts";
import { type ReadCredential, readCredential, TokenInUrl } from "./read-credential.ts";
import { agreeOnTenant, readTenantHeader, tenantParameter } from "./read-tenant.ts";
import { surfaceOf } from "./resource-metadata.ts";

/** Who sent a request. */
export interface Caller {
  readonly principal: Principal;
  readonly presented: Presented;
  /** The request's query without what was meant for the gateway: an API token, a tenant. */
  readonly query: string;
  /**
   * Who calls once the body was read. A body may be minutes on its way: where it had to be waited for, what was presented is
   * looked at again, and what was revoked meanwhile does nothing any more. Throws like `RequestAuthenticator.authenticate`.
   */
  readonly confirm: () => Promise<Principal>;
}

/** What authentication depends on in how a request is used. */
export interface AuthenticationOptions {
  /** `page`: a page that changes nothing, where links from elsewhere may lead. */
  readonly use?: "page";
  /**
   * Whether `customer_id` belongs to what is called, for the principal that it would be without; otherwise it names the tenant.
   * What a caller may not see must not decide this, or answers would tell of it.
   */
  readonly ownsTenantParameter?: (principal: Principal) => Promise<boolean>;
  /** A tenant that a page of ours names besides the header, to act in. */
  readonly tenant?: string | undefined;
}

/** The one way from a request to its caller: for MCP, the HTTP API and everything else. */
export interface RequestAuthenticator {
  /**
   * Found anew each time that it is asked for, never kept with a connection: what was revoked meanwhile is refused.
   *
   * Throws `GatewayError`: `unauthenticated`, `forbidden` for a foreign tenant or a page elsewhere, `bad_request` for a request
   * that contradicts itself, `store_unavailable`.
   */
  authenticate(exchange: Exchange, options?: AuthenticationOptions): Promise<Caller>;
  /**
   * Who presents a token by another way than an HTTP request, `undefined` for none: nobody in particular where nobody signs in. Throws
   * like `authenticate`.
   */
  authenticateToken(token: Secret | undefined): Promise<Principal>;
  /** What a request presents, after the same checks, not yet verified. */
  read(exchange: Exchange, use?: "page"): Presented;
  readonly origin: OriginCheck;
}

/** What authentication stands on. */
export interface AuthenticatorParts {
  readonly identity: Identity;
  readonly auth: () => AuthConfig;
  /** The URL that clients use, when the file names it. */
  readonly baseUrl: string | undefined;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds of a clock that never goes back; the process's own by default. */
  readonly now?: () => number;
}

const warnMilliseconds = 60_000;

export function createRequestAuthenticator(parts: AuthenticatorParts): RequestAuthenticator {
  const { identity } = parts;
  const origin = createOriginCheck(parts.baseUrl);
  const warn = createWarning(parts.log, parts.now ?? (() => performance.now()));

  const read = (exchange: Exchange, use?: "page"): ReadCredential => {
    const { provider, queryToken } = parts.auth();
    // Where nobody signs in, whatever is presented is not meant for the gateway.
    if (provider === "none") return { presented: { kind: "nothing" }, query: exchange.query, inQuery: false };
    try {
      const credential = readCredential(exchange.request, exchange.query, queryToken);
      if (credential.presented.kind === "session") origin.check(exchange.request, use);
      if (credential.inQuery)
        warn(
          `An API token came in the query of ${routeOf(exchange)}, where it is logged by others on its way.`,
        );
      return credential;
    } catch (error) {
      if (error instanceof TokenInUrl)
        warn(
          `${routeOf(exchange)} was refused: its URL holds a token. Revoke the token, others may have seen it.`,
        );
      throw error;
    }
  };

  const verify = async (
    presented: Presented,
    tenant: string | undefined,
    surface: ProtectedSurface,
  ): Promise<Principal> => {
    const { provider } = parts.auth();
    try {
      return checkPrincipal(await identity.authenticate(presented, tenant, surface), presented, provider);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      parts.log("Authentication failed by a fault of its own; the request was refused.", error);
      throw new GatewayError("store_unavailable", "Who calls can't be found out now. Try again later.", {
        cause: error,
        retryable: true,
      });
    }
  };

  return {
    origin,
    authenticateToken: (token) => {
      const isMeant = token !== undefined && parts.auth().provider !== "none";
      // Access tokens are for HTTP, and are refused here: whoever starts a process gives it a token that lasts (MCP, Authorization).
      return verify(isMeant ? { kind: "token", token } : { kind: "nothing" }, undefined, "other");
    },
    read: (exchange, use) => read(exchange, use).presented,
    authenticate: async (exchange, options = {}) => {
      const { presented, query } = read(exchange, options.use);
      const header = agreeOnTenant(
        readTenantHeader(exchange.request),
        options.tenant === undefined ? [] : [options.tenant],
      );
      const named = takeParameter(query, tenantParameter);
      const surface = surfaceOf(exchange.path);
      const { ownsTenantParameter: owns } = options;
      const found = (principal: Principal, tenant: string | undefined, rest: string): Caller => {
        const isWhole = isReceived(exchange.request);
        const confirm = async () => (isWhole ? principal : verify(presented, tenant, surface));
        return { principal, presented, query: rest, confirm };
      };
      if (named.values.length > 0 && owns !== undefined) {
        const principal = await verify(presented, header, surface);
        if (await owns(principal)) return found(principal, header, query);
      }
      const tenant = agreeOnTenant(header, named.values);
      return found(await verify(presented, tenant, surface), tenant, named.rest);
    },
  };
}

function routeOf({ request, path }: Exchange): string {
  return withoutTokens(`${request.method} ${path}`.slice(0, 200));
}

/** A log line at most once a minute, with the number of those left out. */
function createWarning(log: (message: string) => void, now: () => number): (message: string) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return (message) => {
    if (now() < quietUntil) {
      leftOut += 1;
      return;
    }
    quietUntil = now() + warnMilliseconds;
    log(leftOut === 0 ? message : `${message} (${leftOut} more in the minute before)`);
    leftOut = 0;
  };
}
