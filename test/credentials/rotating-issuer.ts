import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the token endpoint does with one request in place of answering it. */
export type Behaviour =
  /** As always, but only after so many milliseconds, which begin after the rotation. */
  | { readonly kind: "late"; readonly milliseconds: number }
  /** Rotates, and the connection ends before anything is answered. */
  | { readonly kind: "answer_lost" }
  /** The connection ends before anything is done. */
  | { readonly kind: "reset" }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: "error"; readonly status: number; readonly code: string }
  /** Something that is no JSON, after the rotation. */
  | { readonly kind: "garbage" }
  /** A new access token, and the refresh token stays what it is. */
  | { readonly kind: "keep" }
  /** Answers without saying how long the token lives. */
  | { readonly kind: "no_expiry" };

/** All that happened at an issuer. */
export interface IssuerCounts {
  /** Requests at the token endpoint. */
  readonly requests: number;
  /** Refreshes that were carried out. */
  readonly refreshes: number;
  /** Refresh tokens that came again after they were used. */
  readonly reuses: number;
  readonly familiesKilled: number;
  readonly authorizations: number;
}

/** One set of tokens. */
export interface IssuedTokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

interface Family {
  readonly user: string;
  isAlive: boolean;
  current: string;
  refreshes: number;
}

/**
 * The enemy: a token endpoint that gives out a new refresh token with every refresh, and ends the whole grant as soon as a used one
 * comes again, with no leeway at all. Beside it is a resource that says whose token it saw. All of it over HTTP, for any number of
 * processes:
 *
 * - `POST /authorize?user=NAME` begins a grant, as a user would,
 * - `POST /token` with `grant_type=refresh_token` as a form,
 * - `GET /me` with a bearer token answers `{"user": NAME}`, or 401.
 */
export class RotatingIssuer {
  /** Seconds that access tokens live from now on. */
  life: number;
  /** Milliseconds that every answer with tokens takes, after the rotation. */
  latency = 0;
  readonly #families = new Set<Family>();
  readonly #refreshTokens = new Map<string, Family>();
  readonly #accessTokens = new Map<string, { readonly family: Family; readonly endsAt: number }>();
  readonly #behaviours: Behaviour[] = [];
  readonly #listeners = new Set<(user: string) => void>();
  readonly #counts = { requests: 0, refreshes: 0, reuses: 0, familiesKilled: 0, authorizations: 0 };
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch(() => response.destroy());
  });
  #url = "";

  private constructor(life: number) {
    this.life = life;
  }

  /** Listens on a free port of this machine. */
  static async start(life = 3_600): Promise<RotatingIssuer> {
    const issuer = new RotatingIssuer(life);
    issuer.#server.listen(0, "127.0.0.1");
    await once(issuer.#server, "listening");
    const address = issuer.#server.address();
    if (address === null || typeof address === "string") throw new Error("The issuer has no port.");
    issuer.#url = `http://127.0.0.1:${address.port}`;
    return issuer;
  }

  get url(): string {
    return this.#url;
  }

  get counts(): IssuerCounts {
    return { ...this.#counts };
  }

  /** How often each user's grants were refreshed. */
  refreshesOf(user: string): number {
    return [...this.#families]
      .filter((family) => family.user === user)
      .reduce((sum, { refreshes }) => sum + refreshes, 0);
  }

  /** Whose access token this is, whatever has become of it. */
  userOf(accessToken: string): string | undefined {
    return this.#accessTokens.get(accessToken)?.family.user;
  }

  /** Whether this is the refresh token that would be taken now. */
  isCurrent(refreshToken: string): boolean {
    const family = this.#refreshTokens.get(refreshToken);
    return family?.isAlive === true && family.current === refreshToken;
  }

  /** All tokens that were ever given out. */
  get secrets(): readonly string[] {
    return [...this.#accessTokens.keys(), ...this.#refreshTokens.keys()];
  }

  /** Begins a grant, as a user would in a browser. */
  authorize(user: string): IssuedTokens {
    this.#counts.authorizations += 1;
    const family: Family = { user, isAlive: true, current: "", refreshes: 0 };
    this.#families.add(family);
    return this.#issue(family);
  }

  /** Ends all grants of a user, as one does who withdraws a consent. */
  withdraw(user: string): void {
    for (const family of this.#families) if (family.user === user) family.isAlive = false;
  }

  /** What happens to the next requests at the token endpoint, one after the other. */
  next(...behaviours: readonly Behaviour[]): void {
    this.#behaviours.push(...behaviours);
  }

  /** Calls back as soon as an answer with new tokens has left. */
  onAnswered(listener: (user: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.#url);
    const body = await readBody(request);
    switch (`${request.method} ${pathname}`) {
      case "POST /authorize":
        return send(response, 200, this.authorize(searchParams.get("user") ?? ""));
      case "POST /token":
        return this.#answerToken(new URLSearchParams(body), response);
      case "GET /me":
        return this.#answerMe(request.headers.authorization, response);
      default:
        return send(response, 404, {});
    }
  }

  async #answerToken(form: URLSearchParams, response: ServerResponse): Promise<void> {
    this.#counts.requests += 1;
    const behaviour = this.#behaviours.shift();
    switch (behaviour?.kind) {
      case "reset":
        response.destroy();
        return;
      case "status":
        response.setHeaders(
          new Map(behaviour.retryAfter === undefined ? [] : [["retry-after", behaviour.retryAfter]]),
        );
        return send(response, behaviour.status, { message: "canary-of-the-issuer" });
      case "error":
        return send(response, behaviour.status, {
          error: behaviour.code,
          error_description: "canary-of-the-issuer",
        });
    }
    const family = this.#refreshTokens.get(form.get("refresh_token") ?? "");
    if (form.get("grant_type") !== "refresh_token" || family === undefined || !family.isAlive) {
      return send(response, 400, { error: "invalid_grant" });
    }
    if (family.current !== form.get("refresh_token")) {
      this.#counts.reuses += 1;
      this.#counts.familiesKilled += 1;
      family.isAlive = false;
      return send(response, 400, { error: "invalid_grant" });
    }
    this.#counts.refreshes += 1;
    family.refreshes += 1;
    const tokens = this.#issue(family, behaviour?.kind === "keep");
    if (this.latency > 0) await new Promise((resolve) => setTimeout(resolve, this.latency));
    switch (behaviour?.kind) {
      case "answer_lost":
        response.destroy();
        return;
      case "garbage":
        response.end("<html>canary-of-the-issuer</html>");
        return;
      case "late":
        await new Promise((resolve) => setTimeout(resolve, behaviour.milliseconds));
    }
    const { expires_in, refresh_token, ...rest } = tokens;
    send(response, 200, {
      ...rest,
      token_type: "Bearer",
      ...(behaviour?.kind !== "keep" && { refresh_token }),
      ...(behaviour?.kind !== "no_expiry" && { expires_in }),
    });
    for (const listener of this.#listeners) listener(family.user);
  }

  #answerMe(authorization: string | undefined, response: ServerResponse): void {
    const token = this.#accessTokens.get(authorization?.replace(/^Bearer /, "") ?? "");
    if (token === undefined || !token.family.isAlive || token.endsAt <= Date.now()) {
      response.setHeader("www-authenticate", 'Bearer error="invalid_token"');
      send(response, 401, {});
      return;
    }
    send(response, 200, { user: token.family.user });
  }

  #issue(family: Family, keepsRefreshToken = false): IssuedTokens {
    const access = randomBytes(12).toString("base64url");
    this.#accessTokens.set(access, { family, endsAt: Date.now() + this.life * 1_000 });
    if (!keepsRefreshToken) {
      family.current = randomBytes(12).toString("base64url");
      this.#refreshTokens.set(family.current, family);
    }
    return { access_token: access, refresh_token: family.current, expires_in: this.life };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return body;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
