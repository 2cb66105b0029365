import { randomBytes } from "node:crypto";
import type { Grant } from "./model.ts";

interface Family extends Grant {
  readonly id: number;
  revoked: boolean;
}

interface Code {
  readonly family: Family;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly expiresAt: number;
  used: boolean;
}

interface Access {
  readonly family: Family;
  readonly scopes: readonly string[];
  expiresAt: number;
}

interface Refresh {
  readonly family: Family;
  used: boolean;
}

/** What the token endpoint has to give. */
export interface Issued {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly scopes: readonly string[];
  readonly seconds: number;
}

/** An error of RFC 6749, section 5.2. */
export class OAuthFailure extends Error {
  readonly error: string;
  readonly status: number;

  constructor(error: string, description: string, status = 400) {
    super(description);
    this.error = error;
    this.status = status;
  }
}

/** How long tokens live and what becomes of refresh tokens. */
export interface GrantRules {
  readonly now: () => number;
  readonly seconds: () => number;
  readonly refreshTokens: () => "rotating" | "constant" | "none";
}

/** Codes and tokens of one server, each belonging to a family that began with an authorization. */
export class Grants {
  readonly #rules: GrantRules;
  readonly #families: Family[] = [];
  readonly #codes = new Map<string, Code>();
  readonly #access = new Map<string, Access>();
  readonly #refresh = new Map<string, Refresh>();
  /** Grants that ended because a code or a refresh token was used twice. */
  reuses = 0;
  /** Refreshes that went well. */
  refreshes = 0;

  constructor(rules: GrantRules) {
    this.#rules = rules;
  }

  createCode(grant: Grant, redirectUri: string, challenge: string | undefined): string {
    const code = `code_${random()}`;
    const expiresAt = this.#rules.now() + 60_000;
    this.#codes.set(code, { family: this.#begin(grant), redirectUri, challenge, expiresAt, used: false });
    return code;
  }

  /** Gives the challenge too, to be compared by the caller before anything is issued. */
  takeCode(
    code: string,
    client: string,
    redirectUri: string | undefined,
    verify: (challenge: string | undefined) => void,
    resource: string | undefined,
  ): Issued {
    const found = this.#codes.get(code);
    if (found === undefined) throw new OAuthFailure("invalid_grant", "unknown code");
    if (found.family.client !== client) throw new OAuthFailure("invalid_grant", "code of another client");
    if (found.used) {
      this.#kill(found.family);
      throw new OAuthFailure("invalid_grant", "code used twice");
    }
    found.used = true;
    if (found.expiresAt <= this.#rules.now()) throw new OAuthFailure("invalid_grant", "code is over");
    if (found.redirectUri !== redirectUri) throw new OAuthFailure("invalid_grant", "other redirect_uri");
    verify(found.challenge);
    if (found.family.resource !== resource) throw new OAuthFailure("invalid_target", "other resource");
    return this.#issue(found.family, found.family.scopes, undefined);
  }

  refresh(
    token: string,
    client: string,
    scopes: readonly string[] | undefined,
    resource: string | undefined,
  ): Issued {
    const found = this.#refresh.get(token);
    if (found === undefined) throw new OAuthFailure("invalid_grant", "unknown refresh token");
    const { family } = found;
    if (family.client !== client) throw new OAuthFailure("invalid_grant", "token of another client");
    if (found.used && !family.revoked) this.#kill(family);
    if (family.revoked) throw new OAuthFailure("invalid_grant", "refresh token is revoked");
    if (family.resource !== resource) throw new OAuthFailure("invalid_target", "other resource");
    if (scopes?.some((scope) => !family.scopes.includes(scope)))
      throw new OAuthFailure("invalid_scope", "more than was granted");
    const rotating = this.#rules.refreshTokens() === "rotating";
    if (rotating) found.used = true;
    this.refreshes += 1;
    return this.#issue(family, scopes ?? family.scopes, rotating ? undefined : token);
  }

  /** Without a browser: a new grant and its first tokens. */
  issue(grant: Grant, withRefreshToken = true): Issued {
    return this.#issue(this.#begin(grant), grant.scopes, undefined, withRefreshToken);
  }

  /** What a token that is good stands for. */
  find(accessToken: string): Grant | undefined {
    const found = this.#access.get(accessToken);
    if (found === undefined || found.family.revoked || found.expiresAt <= this.#rules.now()) return undefined;
    const { user, client, resource } = found.family;
    return { user, client, scopes: found.scopes, resource };
  }

  revoke(token: string, client: string): void {
    const family = this.#refresh.get(token)?.family ?? this.#access.get(token)?.family;
    if (family?.client !== client) return;
    if (this.#refresh.has(token)) family.revoked = true;
    else this.#access.delete(token);
  }

  expire(user: string): void {
    for (const access of this.#access.values()) if (access.family.user === user) access.expiresAt = 0;
  }

  revokeUser(user: string): void {
    for (const family of this.#families) if (family.user === user) family.revoked = true;
  }

  #begin(grant: Grant): Family {
    const family = { ...grant, id: this.#families.length, revoked: false };
    this.#families.push(family);
    return family;
  }

  #issue(
    family: Family,
    scopes: readonly string[],
    keep: string | undefined,
    withRefreshToken = true,
  ): Issued {
    const seconds = this.#rules.seconds();
    const accessToken = `at_${random()}`;
    this.#access.set(accessToken, { family, scopes, expiresAt: this.#rules.now() + seconds * 1000 });
    const wanted = withRefreshToken && this.#rules.refreshTokens() !== "none";
    const refreshToken = keep ?? (wanted ? `rt_${random()}` : undefined);
    if (refreshToken !== undefined) this.#refresh.set(refreshToken, { family, used: false });
    return { accessToken, refreshToken, scopes, seconds };
  }

  #kill(family: Family): void {
    family.revoked = true;
    this.reuses += 1;
  }
}

function random(): string {
  return randomBytes(24).toString("base64url");
}
