import type { Broker } from "../../broker/broker.ts";
import type { CatalogSnapshot } from "../../catalog/snapshot.ts";
import type { CatalogView } from "../../catalog/view.ts";
import { Shares } from "../../limits/shares.ts";
import { type Message, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { namesModernEra } from "../../mcp/versions.ts";
import type { Principal } from "../../model/principal.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { draining } from "../draining.ts";
import { type Exchange, isReceived } from "../exchange.ts";
import { presentedBy } from "../presented-secrets.ts";
import { accepts } from "./accept.ts";
import { awaitArrival } from "./await-arrival.ts";
import { createCallTool } from "./call-tool.ts";
import { mismatch } from "./check-headers.ts";
import { createComplete } from "./complete.ts";
import { createConnectInBand } from "./connect-in-band.ts";
import { describeServer } from "./describe-server.ts";
import { hasEnvelope, hasModernEnvelope } from "./envelope.ts";
import type { Incoming, Origin } from "./face.ts";
import { createFeatureLists } from "./feature-lists.ts";
import { createGetPrompt } from "./get-prompt.ts";
import { createHttpOrigin, header } from "./http-origin.ts";
import { isResultUri, KeptResults } from "./kept-results.ts";
import { createLegacyFace } from "./legacy.ts";
import { createResultLimiter } from "./limit-result.ts";
import type { McpLimits } from "./limits.ts";
import { createListFeatures } from "./list-features.ts";
import { createListTools } from "./list-tools.ts";
import type { Method, Methods } from "./methods.ts";
import { createModernFace } from "./modern.ts";
import { readPost } from "./read-post.ts";
import { createReadResource } from "./read-resource.ts";
import { HttpRefusal, refuse, sendRefusal } from "./refusal.ts";
import { refuseSecrets } from "./refuse-secrets.ts";
import { createRequestStates } from "./request-state.ts";
import { ResponseStream } from "./response-stream.ts";
import { connectStdio, type StdioConnection, type StdioStreams } from "./stdio-endpoint.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { createToolLists, type ToolList } from "./tool-list.ts";
import { createVendorMethods } from "./vendor-method.ts";
import { type ListDigests, watchLists } from "./watch-lists.ts";

/** What the endpoint is plugged into. */
export interface McpParts
  extends Pick<
    ConnectionParts,
    "connections" | "connected" | "connectPage" | "instances" | "prepare" | "arrival"
  > {
  readonly broker: Broker;
  /** Tells when the catalog is another one. What is in it is asked of `view` alone. */
  readonly snapshot: Pick<CatalogSnapshot, "subscribe">;
  /** What a principal may see and call over MCP now: the same object for the same tools. */
  readonly view: (principal: Principal) => CatalogView;
  /** The gateway's own version. */
  readonly version: string;
  /**
   * Who is calling; throws `GatewayError`. Asked at every request, and from time to time for the request that opened a stream, when
   * the head of its response is long written.
   */
  readonly authenticate: (exchange: Exchange) => Promise<Principal>;
  readonly log: (message: string, cause?: unknown) => void;
  /**
   * Keys for what clients without sessions keep for us between two rounds of a call: 32 bytes each, the newest first. None, or absent: a
   * key of this process alone, so that what it has asked can be answered nowhere else.
   */
  readonly requestStateKeys?: (() => readonly Uint8Array[]) | undefined;
  /** As of now, whenever one of them is read. */
  readonly limits: McpLimits;
  /** Milliseconds of a clock that never goes back; the process's own by default. */
  readonly now?: () => number;
}

/** The `/mcp` endpoint: Streamable HTTP of all versions of the protocol, and stdio. */
export interface McpEndpoint {
  /**
   * Answers one HTTP request; throws `GatewayError` for what is refused before the protocol begins.
   *
   * @param isDraining whether only that is let in what calls which run wait for, such as a client's answer. Default false.
   */
  handle(exchange: Exchange, isDraining?: boolean): Promise<void>;
  /**
   * Speaks to one client over pipes, beside all others.
   *
   * @param authenticate who is there, asked at every message; throws `GatewayError`.
   */
  connectStdio(streams: StdioStreams, authenticate: () => Promise<Principal>): StdioConnection;
  /** Ends the streams on which clients wait for news, and stops watching the catalog; calls go on. */
  close(): void;
}

/** Puts the endpoint together: one set of methods, framed by each era in its way. */
export function createMcpEndpoint(parts: McpParts): McpEndpoint {
  const { snapshot, broker, view, log, now = () => performance.now() } = parts;
  const { limits } = parts;
  const lists = createToolLists();
  const listOf = (principal: Principal): ToolList => lists(view(principal), parts.instances(principal));
  const features = createFeatureLists();
  const connecting = createConnectInBand({ ...parts, limits });
  const results = new KeptResults(limits, now);
  const calls = { broker, view, connecting };
  const arriving = { view, arrival: parts.arrival ?? (() => undefined) };
  const whole = (method: Method): Method => awaitArrival(arriving, method);
  const methods: Methods = new Map([
    ["tools/list", whole(createListTools(listOf))],
    [
      "tools/call",
      awaitArrival(
        arriving,
        createCallTool(broker, view, connecting, createResultLimiter(limits, results)),
        ({ findTool }, { name }) => (typeof name === "string" ? findTool(name) !== undefined : true),
      ),
    ],
    ["prompts/list", whole(createListFeatures("prompts", view, features))],
    [
      "prompts/get",
      awaitArrival(arriving, createGetPrompt(calls), ({ findPrompt }, { name }) =>
        typeof name === "string" ? findPrompt(name) !== undefined : true,
      ),
    ],
    ["resources/list", whole(createListFeatures("resources", view, features))],
    ["resources/templates/list", whole(createListFeatures("templates", view, features))],
    [
      "resources/read",
      awaitArrival(
        arriving,
        createReadResource(calls, results),
        ({ findResource }, { uri }) =>
          typeof uri !== "string" || isResultUri(uri) || findResource(uri)?.offering !== undefined,
      ),
    ],
    ["completion/complete", createComplete(calls)],
  ]);
  const digestsOf = (principal: Principal): ListDigests => ({
    tools: listOf(principal).digest,
    ...features(view(principal)).digests,
  });
  /** Whoever is known also sees what is meant for them. */
  const prepared = async (principal: Principal): Promise<Principal> => {
    await parts.prepare(principal);
    return principal;
  };
  const authenticate = async (exchange: Exchange): Promise<Principal> =>
    prepared(await parts.authenticate(exchange));
  const watch = watchLists({ snapshot, digestsOf, limits, now, log });
  const face = {
    methods,
    fallback: createVendorMethods(calls),
    subscriptions: createSubscriptions({ ...parts, limits }),
    view,
    server: describeServer(parts.version, parts.connectPage),
    lists: watch,
    streams: new Shares(() => ({ total: limits.streams, perCaller: limits.streamsPerPrincipal })),
    limits,
    now,
    log,
  };
  const states = createRequestStates({
    keys: parts.requestStateKeys,
    milliseconds: limits.parkedMilliseconds,
  });
  const modern = createModernFace(face, states);
  const legacy = createLegacyFace(face);

  const incomingOf = (exchange: Exchange, principal: Principal): Omit<Incoming, "message"> => ({
    origin: createHttpOrigin(exchange, principal, authenticate),
    principal,
    reply: () => new ResponseStream(exchange.response, limits),
    accept: (status = 202) => {
      exchange.response.writeHead(status, status === 202 ? {} : { "content-length": 0 });
      exchange.response.end();
    },
  });

  const post = async (exchange: Exchange, found: Principal, isDraining: boolean): Promise<void> => {
    const isWhole = isReceived(exchange.request);
    const message = await readPost(exchange);
    if (isDraining && message.kind === "request") throw draining();
    // A body may be minutes on its way: who was revoked meanwhile sends nothing any more.
    const principal = isWhole ? found : await authenticate(exchange);
    refuseSecrets(message, presentedBy(exchange, principal));
    const incoming = { ...incomingOf(exchange, principal), message };
    const era = eraOf(incoming.origin, message);
    const accepted = header(exchange, "accept");
    if (
      message.kind === "request" &&
      !(accepts(accepted, "application/json") && accepts(accepted, "text/event-stream"))
    ) {
      throw refuse(
        406,
        "Not Acceptable: Client must accept both application/json and text/event-stream",
        message,
      );
    }
    return (era === "modern" ? modern : legacy).post(incoming);
  };

  const route = async (exchange: Exchange, isDraining: boolean): Promise<void> => {
    const principal = await authenticate(exchange);
    const { method } = exchange.request;
    if (method === "POST") return post(exchange, principal, isDraining);
    if (method !== "GET" && method !== "DELETE") throw methodNotAllowed("GET, POST, DELETE");
    if (namesModernEra(header(exchange, "mcp-protocol-version") ?? "")) throw methodNotAllowed("POST");
    if (method === "DELETE") return legacy.delete(incomingOf(exchange, principal));
    if (isDraining && (header(exchange, "last-event-id") ?? "") === "") throw draining();
    if (!accepts(header(exchange, "accept"), "text/event-stream"))
      throw refuse(406, "Not Acceptable: Client must accept text/event-stream");
    return legacy.get(incomingOf(exchange, principal));
  };

  return {
    handle: async (exchange, isDraining = false) => {
      try {
        await route(exchange, isDraining);
      } catch (error) {
        // A client that left in the middle of its request gets no answer and is no fault.
        if (exchange.signal.aborted) return;
        if (!(error instanceof HttpRefusal)) throw error;
        sendRefusal(exchange, error);
      }
    },
    connectStdio: (streams, authenticateClient) =>
      connectStdio({
        ...streams,
        authenticate: async () => prepared(await authenticateClient()),
        ...{ eraOf, modern, legacy, limits, log },
      }),
    close: () => {
      watch.close();
      modern.close();
      results.close();
    },
  };
}

/**
 * The body decides: a claim in `_meta` makes a message modern. A header alone never does, but one that names a modern version
 * asks for the claim, and `initialize` under it contradicts itself.
 */
function eraOf({ header }: Origin, message: Message): "legacy" | "modern" {
  const isHeaderModern = namesModernEra(header("mcp-protocol-version") ?? "");
  if (!("params" in message)) return isHeaderModern ? "modern" : "legacy";
  if (message.kind !== "request" || message.method !== "initialize") {
    return hasEnvelope(message.params) || isHeaderModern ? "modern" : "legacy";
  }
  if (hasModernEnvelope(message.params)) return "modern";
  if (!isHeaderModern) return "legacy";
  const difference = "initialize opens a session, MCP-Protocol-Version names a version without sessions";
  throw mismatch(message, header("mcp-protocol-version") ?? "", difference);
}

function methodNotAllowed(allow: string): HttpRefusal {
  return new HttpRefusal(405, new RpcError(rpcCodes.transport, "Method not allowed."), {
    headers: { allow },
  });
}
