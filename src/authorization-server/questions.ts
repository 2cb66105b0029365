import { setTimeout as wait } from "node:timers/promises";
import { GatewayError } from "../errors.ts";
import { grantsOf, newGrantId, putGrant, readGrant } from "../identity/grant-record.ts";
import { believingNothing, type GuardedStore, readAll } from "../identity/guard-store.ts";
import { readSession } from "../identity/session-record.ts";
import { asObject } from "../json-object.ts";
import type { JsonObject } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import { writeAccountId } from "./account-id.ts";
import type { AuthorizationServer, ConsentDecision, ConsentQuestion } from "./authorization-server.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import { ClientProblem, type ClientRules, type KnownClient } from "./client-rules.ts";
import { questionSeconds } from "./configure-provider.ts";
import { type InteractionRecord, putInteraction, readInteraction } from "./interaction-record.ts";
import { readScopes, withoutContained } from "./resources.ts";

/** What questions stand on. */
export interface QuestionParts {
  readonly store: () => GuardedStore;
  readonly clients: ClientRules;
  readonly binding: BrowserBinding;
  readonly now: () => number;
  readonly log: (message: string, cause?: unknown) => void;
}

/** What somebody allows ends so soon unless the client fetches its tokens: milliseconds. */
const unfetchedMilliseconds = questionSeconds * 1_000;
/** Grants of one user; more are a mistake of a program, and nobody can look through them. */
const mostGrants = 500;
/** How often, and how many milliseconds apart, a second answer looks for what the first one writes. */
const mostLooks = 40;
const lookMilliseconds = 25;

/** A question that is open, with what the library keeps of it. */
interface OpenQuestion {
  readonly record: InteractionRecord;
  readonly client: KnownClient;
  readonly question: ConsentQuestion;
}

/** Questions of clients to people, and their answers; see {@link AuthorizationServer}. */
export function createQuestions(parts: QuestionParts): Pick<AuthorizationServer, "question" | "answer"> {
  const { store, binding, now, log } = parts;

  async function answer(
    id: string,
    cookies: string | undefined,
    principal: Principal,
    decision: ConsentDecision,
  ): Promise<string> {
    const { record, client, question } = await find(parts, id, cookies, "answer");
    const { credential } = principal;
    if (principal.kind !== "user" || credential?.kind !== "session")
      throw new GatewayError("forbidden", "Only people answer this, signed in in a browser.");
    if (!binding.isSealed(id, principal, decision.seal)) {
      throw new GatewayError(
        "conflict",
        "Since the question was shown, you have signed in anew, or somebody else has. Look at it again, and answer then.",
      );
    }
    const returnTo = text(record.payload["returnTo"]);
    if (record.payload["result"] !== undefined) return repeat(record, principal, decision);
    const repeatAfterAll = async () =>
      repeat((await find(parts, id, cookies, "answer")).record, principal, decision);
    if (decision.kind === "refuse") {
      const result = { error: "access_denied", error_description: "The person has refused." };
      return (await keep(record, result)) ? returnTo : repeatAfterAll();
    }
    const scopes = question.scopes.filter((scope) => decision.scopes.includes(scope));
    const granted = withoutContained(scopes);
    if (granted.length === 0 || scopes.length !== new Set(decision.scopes).size)
      throw new GatewayError("bad_request", "The answer allows what was not asked for, or nothing.");
    const { id: user, home } = principal;
    const tenant = store().tenant(home);
    // What has ended this session meanwhile, such as another password, ends what is allowed by it: the generation is the session's.
    const found = await tenant.get("session", credential.id);
    const session = found === undefined ? undefined : readSession(found, credential.id);
    if (session?.user !== user) {
      throw new GatewayError(
        "forbidden",
        "You have been signed out meanwhile, so nothing has been allowed. Go back to your app, connect from there again, and sign in.",
      );
    }
    const { generation } = session;
    await refuseTooMany(home, user);
    const grant = newGrantId(user);
    const accountId = writeAccountId({ tenant: home, user, generation });
    const result = { login: { accountId, remember: false }, consent: { grantId: grant } };
    if (!(await keep(record, result))) return repeatAfterAll();
    // Only who has answered first comes here, and the browser goes on only after this.
    const change = putGrant(
      {
        ...{ id: grant, user, generation, clientId: client.id, clientName: client.name },
        ...{ clientKind: client.kind, scopes: granted, createdAt: now() },
        ...{ expiresAt: now() + unfetchedMilliseconds, payload: { resource: question.resource } },
      },
      "absent",
    );
    await tenant.write([change]);
    return returnTo;
  }

  /** Keeps the answer. Of two at the same time, one counts: false for the other one. */
  async function keep(record: InteractionRecord, result: JsonObject): Promise<boolean> {
    const payload = { ...record.payload, result };
    try {
      await store().gateway.write([putInteraction({ ...record, payload }, record.version)]);
      return true;
    } catch (error) {
      if (error instanceof GatewayError && error.code === "conflict") return false;
      throw error;
    }
  }

  /**
   * Who presses twice sends the same answer twice, and the browser shows what the last one gets: it goes on with what the first one came to.
   * Any other answer comes too late.
   */
  async function repeat(
    { payload }: InteractionRecord,
    { id: user, home }: Principal,
    decision: ConsentDecision,
  ): Promise<string> {
    const returnTo = text(payload["returnTo"]);
    const result = asObject(payload["result"]);
    if (decision.kind === "refuse") {
      if (result?.["error"] === undefined) throw answered();
      return returnTo;
    }
    const id = asObject(result?.["consent"])?.["grantId"];
    if (typeof id !== "string") throw answered();
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const found = await store().tenant(home).get("grant", id);
      const grant = found === undefined ? undefined : readGrant(found, id);
      if (grant?.user === user && String(grant.scopes) === String(withoutContained(decision.scopes)))
        return returnTo;
      if (grant !== undefined) break;
      // The first one is about to write it.
      await wait(lookMilliseconds);
    }
    throw answered();
  }

  async function refuseTooMany(home: string, user: string): Promise<void> {
    const own = await readAll(store().tenant(home), "grant", readGrant, grantsOf(user));
    if (own.length < mostGrants) return;
    throw new GatewayError(
      "forbidden",
      `You let ${mostGrants} apps act for you, which is the most. End some of them on the page of apps that act for you, then connect this one again.`,
    );
  }

  return {
    question: (...asked) => believingNothing(log, async () => (await find(parts, ...asked)).question),
    answer: (...given) => believingNothing(log, () => answer(...given)),
  };
}

async function find(
  { store, clients, binding, now }: QuestionParts,
  id: string,
  cookies: string | undefined,
  use?: "answer",
): Promise<OpenQuestion> {
  if (!/^[A-Za-z0-9_-]{43}$/.test(id)) throw unknown();
  if (!binding.isBegun(id, cookies)) {
    throw new GatewayError(
      "not_found",
      "This question was not begun in this browser, or has ended, or the browser keeps no cookies of this gateway. Go back to the app that sent you here, and connect from there. If somebody has sent you this link: they would have got access to what is yours.",
    );
  }
  const found = await store().gateway.get("interaction", id);
  if (found === undefined) throw unknown();
  const record = readInteraction(found, id);
  if (record.expiresAt <= now()) throw unknown();
  if (record.payload["result"] !== undefined && use === undefined) throw answered();
  const parameters = parametersOf(record);
  const client = await findClient(clients, parameters("client_id"));
  const question: ConsentQuestion = {
    id,
    ...{ clientId: client.id, clientName: client.name, clientKind: client.kind, clientHost: client.host },
    redirectUri: parameters("redirect_uri"),
    scopes: readScopes(parameters("scope")),
    resource: parameters("resource"),
    seal: (principal) => binding.seal(id, principal),
  };
  // What the client may do was looked at when the question began, and may have changed since.
  if (!clients.isRedirectUriAllowed(client, question.redirectUri))
    throw new GatewayError("not_found", clients.describeRedirectUri(client, question.redirectUri));
  return { record, client, question };
}

/** The parameters of the request that a question began with. */
function parametersOf({ payload }: InteractionRecord): (name: string) => string {
  const parameters = payload["params"];
  return (name) => text(asObject(parameters)?.[name]);
}

async function findClient(clients: ClientRules, id: string): Promise<KnownClient> {
  try {
    const client = await clients.find(id);
    if (client !== undefined) return client;
  } catch (error) {
    if (error instanceof ClientProblem) throw new GatewayError("not_found", error.message, { cause: error });
    throw error;
  }
  throw new GatewayError("not_found", clients.describeUnknown(id));
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error("A question was stored without one of its parameters.");
}

function unknown(): GatewayError {
  return new GatewayError(
    "not_found",
    "There is no such question any more: it was answered, or has waited too long. Go back to the app that sent you here, and connect from there again.",
  );
}

function answered(): GatewayError {
  return new GatewayError(
    "not_found",
    "This question was answered already. Go back to the app that sent you here; connect from there again if it is not connected.",
  );
}
