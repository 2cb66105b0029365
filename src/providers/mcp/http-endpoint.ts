import { credentialRefusal } from "../../broker/executor.ts";
import { GatewayError } from "../../errors.ts";
import { fillUrl, hostOf } from "../../fill-url.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { Secret } from "../../secret.ts";
import type { HttpClient, HttpRequest, HttpStream } from "../../upstream/http-client.ts";
import { readLimited } from "../../upstream/read-limited.ts";
import { asSource, type GivenCredential } from "../credential-source.ts";
import { dressRequest } from "../dress-request.ts";
import { isSameOrigin } from "../same-origin.ts";
import { EventPace } from "./event-pace.ts";
import { limitsKeyOf, messageBytesOf, SessionLostError } from "./transport.ts";

/** Of a refusal so much is read, before the request is sent with another credential. */
const maxRefusalBytes = 64 * 1024;

/** A request to a server, without what the provider and the credential add. */
export interface EndpointRequest extends Omit<HttpRequest, "url"> {
  /** Another URL of the server than the endpoint's own. */
  readonly at?: string;
}

/** An answer, and the URL that gave it. */
export interface EndpointAnswer extends HttpStream {
  readonly url: string;
}

/** Most bytes of an answer that is no event stream, and of one message on an event stream. */
export interface EndpointLimits {
  readonly answerBytes: number;
  readonly messageBytes: number;
  /** Where the operator's file sets them, for messages. */
  readonly setAt: string;
}

/** Where a server is reached over HTTP and what every request to it carries. */
export interface HttpEndpoint {
  /** The endpoint for one session with the server, which belongs to one account. */
  session(): EndpointSession;
  /** The secrets that were sent last, and those sent before they changed: what the server may repeat. */
  secrets(): readonly Secret[];
}

/** The endpoint as one session uses it. */
export interface EndpointSession {
  /** Host and port, for messages. */
  readonly host: string;
  /** Most bytes of what the server sends. */
  readonly limits: EndpointLimits;
  /** How fast its events are taken; one for all sessions. */
  readonly pace: EventPace;
  /**
   * Sends a request with the credential as it is now. Where the server refuses that, and there is another one, the request is sent once
   * more. Fails like `HttpClient` and like `CredentialSource`, and with {@link SessionLostError}, before anything is sent, once somebody
   * has connected anew: what was begun with one account does not go on with another.
   */
  stream(request: EndpointRequest): Promise<EndpointAnswer>;
  /** Sends a last request, unless the credential is another by now. */
  farewell(request: EndpointRequest): Promise<void>;
}

/** Binds URL, provider and credential together. */
export function createHttpEndpoint(
  http: HttpClient,
  url: string,
  provider: ProviderConfig,
  given: GivenCredential,
): HttpEndpoint {
  const source = asSource(given);
  const pace = new EventPace();
  let last: Credential | undefined = "current" in given ? undefined : given;
  let before: Credential | undefined;

  async function send(request: EndpointRequest, credential: Credential): Promise<EndpointAnswer> {
    if (last === undefined || !isSame(credential, last)) [before, last] = [last, credential];
    const own = fillUrl(url, credential.params);
    const { at = own, headers, ...others } = request;
    // A connection that means another host by now is not for what was opened at the first one.
    if (at !== own && !isSameOrigin(at, own)) throw new SessionLostError();
    const dressed = dressRequest({ url: at, headers }, provider, credential);
    return { ...(await http.stream({ ...others, ...dressed })), url: at };
  }

  function session(): EndpointSession {
    let first: Credential | undefined;
    const check = (credential: Credential): Credential => {
      first ??= credential;
      if (credential.connectedAt !== first.connectedAt) throw new SessionLostError();
      return credential;
    };
    return {
      host: hostOf(url),
      pace,
      limits: {
        answerBytes: provider.limits.answerBytes,
        messageBytes: messageBytesOf(provider.limits),
        setAt: limitsKeyOf(provider),
      },
      stream: async (request) => {
        const credential = check(await source.current(request.signal));
        const answer = await send(request, credential);
        const refusal = credentialRefusal(answer.status, answer.headers);
        if (refusal === undefined || !("current" in given)) return answer;
        const refused = await whole(answer);
        const other = await source.renew(credential, refusal, request.signal);
        return other === undefined ? refused : send(request, check(other));
      },
      farewell: async (request) => {
        const credential = check(await source.current(request.signal));
        if (last === undefined || !isSame(credential, last)) return;
        const { body } = await send(request, credential);
        await readLimited(body, maxRefusalBytes);
      },
    };
  }

  return { session, secrets: () => [...secretsOf(last), ...secretsOf(before)] };
}

/** The answer with its body read, so that the connection is free while another credential is found. */
async function whole(answer: EndpointAnswer): Promise<EndpointAnswer> {
  const body = await readLimited(answer.body, maxRefusalBytes).catch((error: unknown) => {
    if (error instanceof GatewayError && error.code === "cancelled") throw error;
    // The status says enough.
    return new Uint8Array();
  });
  return { ...answer, body: once(body) };
}

function isSame(first: Credential, second: Credential): boolean {
  if (first === second) return true;
  const others = secretsOf(second);
  const own = secretsOf(first);
  return own.length === others.length && own.every((secret, at) => others[at]?.equals(secret) === true);
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

function secretsOf(credential: Credential | undefined): readonly Secret[] {
  if (credential === undefined) return [];
  const { headers, query, cookies } = credential;
  return [headers, query, cookies ?? {}].flatMap((values) => Object.values(values));
}
