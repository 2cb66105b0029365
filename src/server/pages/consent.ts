import type {
  AuthorizationServer,
  ConsentDecision,
  ConsentQuestion,
  OAuthScope,
} from "../../authorization-server/authorization-server.ts";
import { GatewayError } from "../../errors.ts";
import type { Principal } from "../../model/principal.ts";
import { errorStatus } from "../api/error-response.ts";
import type { AuthenticationOptions, RequestAuthenticator } from "../authenticate-request.ts";
import { allow, type Exchange, sendEmpty } from "../exchange.ts";
import { consentPath, pagePath } from "../page-path.ts";
import { consentPage } from "./consent-page.ts";
import { leavePage } from "./leave-page.ts";
import { sendProblem } from "./problem-page.ts";
import { readForm } from "./read-form.ts";
import { pageHeaders, sendPage } from "./send-page.ts";

/** What the consent page stands on. */
export interface ConsentPageParts {
  readonly requests: RequestAuthenticator;
  readonly authorizationServer: AuthorizationServer | undefined;
}

/** One request to the page, about a question of the authorization server. */
interface Visit {
  readonly server: AuthorizationServer;
  readonly exchange: Exchange;
  /** Names the question, and nothing more: who may see it is decided by cookies. */
  readonly id: string;
}

const maxFormBytes = 16 * 1024;

const somebodyElse =
  "Nothing has been allowed: since this page was opened, you have signed in anew, or somebody else has. Look at the account below, and answer again.";

/**
 * Serves `/oauth/consent?request=ID`: what an MCP client asks of a person, and the answer. A question is told to the browser that it was begun in,
 * and answered by whoever is signed in there and has seen it.
 */
export async function handleConsent(parts: ConsentPageParts, exchange: Exchange): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  try {
    const server = parts.authorizationServer;
    if (server === undefined) throw new GatewayError("not_found", "This gateway is no authorization server.");
    const visit: Visit = { server, exchange, id: readId(exchange.query) };
    if (exchange.request.method === "POST") await submit(parts, visit);
    else await show(parts, visit);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    sendProblem(exchange, error);
  }
}

/** The one parameter that the address has. */
function readId(query: string): string {
  const id = new URLSearchParams(query).get("request") ?? "";
  // Whatever the address says besides, it was not written by us.
  if (pagePath(`oauth/consent?${query}`) === consentPath(id)) return id;
  throw new GatewayError(
    "bad_request",
    "The address of this page can't be read. Go back to your app, and connect from there again.",
  );
}

async function show({ requests }: ConsentPageParts, visit: Visit): Promise<void> {
  const { exchange, id, server } = visit;
  const principal = await personOrNobody(requests, exchange, { use: "page" });
  // Nobody signs in for a question that is over, or was asked somewhere else.
  const question = await server.question(id, exchange.request.headers.cookie);
  if (principal === undefined) leadToSignIn(visit);
  else ask(visit, question, principal);
}

async function submit({ requests }: ConsentPageParts, visit: Visit): Promise<void> {
  const { exchange, id, server } = visit;
  const { cookie } = exchange.request.headers;
  requests.origin.checkForm(exchange.request);
  const form = await readForm(exchange, maxFormBytes);
  // Only now: a form may be minutes on its way.
  const principal = await personOrNobody(requests, exchange);
  const question = await server.question(id, cookie, "answer");
  if (principal === undefined) return leadToSignIn(visit);
  const decision = readDecision(form, question.scopes);
  try {
    const location = await server.answer(id, cookie, principal, decision);
    const page = leavePage(question, decision.kind, location);
    sendPage(exchange, 200, "Back to your app", page, { refresh: `0;url=${location}` }, "../");
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "conflict") throw error;
    ask(visit, question, principal, somebodyElse);
  }
}

/** Who is signed in in this browser; `undefined`: nobody is. Throws `forbidden` for what signs in without one. */
async function personOrNobody(
  requests: RequestAuthenticator,
  exchange: Exchange,
  options: AuthenticationOptions = {},
): Promise<Principal | undefined> {
  try {
    const { principal } = await requests.authenticate({ ...exchange, query: "" }, options);
    if (principal.kind === "user" && principal.credential?.kind === "session") return principal;
  } catch (error) {
    if (error instanceof GatewayError && error.code === "unauthenticated") return undefined;
    throw error;
  }
  throw new GatewayError("forbidden", "Only people answer this, signed in in a browser. A token does not.");
}

/** To the form for name and password, and from there back to the question. */
function leadToSignIn({ exchange, id }: Visit): void {
  const query = new URLSearchParams({ next: consentPath(id) });
  sendEmpty(exchange, 303, { ...pageHeaders, location: `../login?${query}` });
}

function ask({ exchange }: Visit, question: ConsentQuestion, principal: Principal, note?: string): void {
  const status = note === undefined ? 200 : errorStatus.conflict;
  sendPage(exchange, status, "Allow access?", consentPage(question, principal, note), {}, "../");
}

function readDecision(form: URLSearchParams, scopes: readonly OAuthScope[]): ConsentDecision {
  const seal = form.get("seal");
  const scope = scopes.find((one) => one === form.get("access"));
  const decision = form.get("decision");
  if (form.size === 3 && seal !== null && scope !== undefined) {
    if (decision === "allow") return { kind: "agree", scopes: [scope], seal };
    if (decision === "deny") return { kind: "refuse", seal };
  }
  throw new GatewayError(
    "bad_request",
    "The form can't be read. Go back to your app, and connect from there again.",
  );
}
