import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { registerHooks } from "node:module";
import type Provider from "oidc-provider";
import type { OIDCContext } from "oidc-provider";
import { asObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { type ConfigurationParts, configureProvider, cookieNames } from "./configure-provider.ts";
import { describeForRedirect } from "./describe-failure.ts";
import { redirectBack } from "./redirect-back.ts";
import { newRefreshToken } from "./refresh-record.ts";
import { endpoints } from "./server-metadata.ts";
import type { TokenAnswer } from "./settle-tokens.ts";

/** What the protocol library works with. */
export interface ProviderParts extends ConfigurationParts {
  /** Writes what the token endpoint has issued, or changes the answer; see `settleTokens`. */
  readonly settle: (body: JsonObject | undefined) => Promise<TokenAnswer | undefined>;
  /** Writes what was revoked. */
  readonly revoke: () => Promise<void>;
}

/** What the library calls one request with its answer. */
type Context = Parameters<Parameters<Provider["use"]>[0]>[0];

/** Lets the library answer a request. Where it does not, since it refuses, the state of the request says why. */
export type LetProviderAnswer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Loads the protocol library and sets it up for one base URL. Only when it is first needed: it is large. */
export async function loadProvider(parts: ProviderParts): Promise<LetProviderAnswer> {
  const { Provider: Library, errors, interactionPolicy } = await importLibrary();
  const fail = (context: Pick<Context, "respond">, error: unknown): void => {
    parts.state().failure = error;
    // Whoever has asked the library answers.
    context.respond = false;
  };
  const provider = new Library(
    parts.issuer,
    configureProvider(parts, { errors, interactionPolicy }, (context, _answer, error) =>
      fail(context, error),
    ),
  );
  // Host and scheme are those of the base URL, whatever the request said; see `requestOf`.
  provider.proxy = true;
  // Else it would print what is handled below.
  provider.silent = true;
  provider.on("grant.error", fail);
  provider.on("revocation.error", fail);
  provider.on("server_error", fail);
  provider.on("authorization.error", (_context, error) => {
    parts.state().failure = error;
  });
  useOwnRules(provider, parts);
  provider.use(async (context, next) => {
    try {
      await next();
      if (context.path === endpoints.token) await answerToken(context, parts);
      else if (context.path === endpoints.revocation) await parts.revoke();
      else sendBack(context, parts);
    } catch (error) {
      fail(context, error);
    }
  });
  return provider.callback();
}

/**
 * A library below it, which warns of old functions, generates code from strings, as a hardened process forbids. Its own edition for
 * browsers does not, and warns of nothing.
 */
async function importLibrary(): Promise<typeof import("oidc-provider")> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === "depd" ? "depd/lib/browser/index.js" : specifier, context),
  });
  try {
    return await import("oidc-provider");
  } finally {
    hooks.deregister();
  }
}

/** Our forms of codes and tokens, and our rules for redirect URIs and secrets, in place of the library's. */
function useOwnRules(
  { AccessToken, AuthorizationCode, RefreshToken, Client }: Provider,
  parts: ProviderParts,
): void {
  const { state, clients } = parts;
  const replace = (model: object, name: string, value: (...given: readonly string[]) => unknown): void => {
    Object.defineProperty(model, name, { value, configurable: true, writable: true });
  };
  replace(AccessToken.prototype, "generateTokenId", function (this: { format?: string }) {
    this.format = "opaque";
    return `gst_oat_${randomText()}`;
  });
  replace(AuthorizationCode.prototype, "generateTokenId", () => `gst_oac_${randomText()}`);
  replace(RefreshToken.prototype, "generateTokenId", () => {
    const { presented } = state();
    return newRefreshToken(presented?.kind === "refresh" ? presented.token : undefined);
  });
  replace(Client.prototype, "redirectUriAllowed", (uri = "") => {
    const { client } = state();
    return client !== undefined && clients.isRedirectUriAllowed(client, uri);
  });
  replace(Client.prototype, "compareClientSecret", (given = "") => {
    const { client } = state();
    if (client === undefined) return false;
    const problem = clients.problemOfSecret(client, given);
    if (problem !== undefined) state().secretProblem = problem;
    return problem === undefined;
  });
}

function randomText(): string {
  return randomBytes(32).toString("base64url");
}

async function answerToken(context: Context, { state, settle }: ProviderParts): Promise<void> {
  const { failure } = state();
  const body: JsonValue | undefined = context.body;
  const answer = await settle(failure === undefined ? asObject(body) : undefined);
  if (answer === undefined) return;
  context.respond = true;
  context.status = answer.status;
  context.body = answer.body;
}

/** Whatever sends the browser on: to the question, or back to the client. */
function sendBack(context: Context, parts: ProviderParts): void {
  const { issuer, state, clients, binding } = parts;
  keepCookies(context, issuer);
  const location = context.response.get("location");
  if (context.respond === false || location === "") return;
  // The page that the library writes for browsers that follow nothing holds the code once more.
  context.body = "";
  if (location.startsWith(`${issuer}/oauth/consent?`)) return;
  const oidc: OIDCContext = context["oidc"];
  const redirectUri = oidc.params?.["redirect_uri"];
  const ended = oidc.entities.Interaction?.uid;
  if (ended !== undefined) context.append("set-cookie", binding.end(ended));
  if (typeof redirectUri !== "string") return;
  const { failure, client } = state();
  // Anybody can register a web site, and a mistake on purpose would make a link to it of ours (RFC 9700, section 4.11.2).
  const isTrusted = client?.kind === "static" || !redirectUri.startsWith("https:");
  if (failure !== undefined && context.path === endpoints.authorization && !isTrusted) {
    context.respond = false;
    return;
  }
  const description = failure === undefined ? undefined : describeForRedirect({ clients, state: state() });
  context.set("location", redirectBack(location, redirectUri, description));
}

/** The library has no sessions here, and the question has a cookie of ours: of its own only the one for coming back is sent. */
function keepCookies(context: Context, issuer: string): void {
  const { session, interaction } = cookieNames(issuer);
  const cookies = context.res.getHeader("set-cookie");
  if (!Array.isArray(cookies)) return;
  const kept = cookies.filter((cookie) => ![session, interaction].some((name) => cookie.startsWith(name)));
  if (kept.length === 0) context.remove("set-cookie");
  else context.res.setHeader("set-cookie", kept);
}
