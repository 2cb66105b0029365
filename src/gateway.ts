import type { Authorizer } from "./authorization/authorizer.ts";
import { createAuthorizer } from "./authorization/create-authorizer.ts";
import { findUnmatchedGrants } from "./authorization/find-unmatched-grants.ts";
import type { AuthorizationServer } from "./authorization-server/authorization-server.ts";
import { type Broker, type BrokerParts, createBroker } from "./broker/broker.ts";
import { createCallGuard } from "./broker/call-guard.ts";
import { createArgumentChecker } from "./broker/check-arguments.ts";
import { createSizeCheck } from "./broker/check-size.ts";
import { CatalogSnapshot } from "./catalog/snapshot.ts";
import type { CatalogView } from "./catalog/view.ts";
import { noCredential } from "./credentials/apply-auth.ts";
import { connectPage } from "./credentials/connect-url.ts";
import { createCredentials } from "./credentials/create-credentials.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { ConnectionStep } from "./credentials/explain-connection.ts";
import type { StrayCredentials } from "./credentials/prune-credentials.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { createDocumentLoader, type DocumentLoader, type DocumentSource } from "./documents/load-document.ts";
import { GatewayError } from "./errors.ts";
import type { OidcSignIn } from "./federation/oidc-sign-in.ts";
import { createOpenIdentity } from "./identity/create-open-identity.ts";
import { defaultTenant } from "./identity/forms.ts";
import type { Identity } from "./identity/identity.ts";
import { makePrincipal } from "./identity/make-principal.ts";
import type { ProviderCatalog } from "./model/catalog.ts";
import type { DocumentLocation, GatewayConfig, ProviderConfig } from "./model/config.ts";
import type { Connections } from "./model/connections.ts";
import type { Decision } from "./model/decision.ts";
import type { InvocationRequest } from "./model/invocation.ts";
import type { Principal } from "./model/principal.ts";
import { createOwnAddress, type OwnAddress } from "./own-address.ts";
import { cleanArguments } from "./providers/clean-arguments.ts";
import { createCompileCache } from "./providers/compile-thread/compile-cache.ts";
import {
  type CompileDocument,
  createDocumentCompiler,
} from "./providers/compile-thread/document-compiler.ts";
import { previewRequest, type RequestPreview } from "./providers/preview-request.ts";
import { ProviderSession } from "./providers/provider-session.ts";
import { ProviderSessions } from "./providers/provider-sessions.ts";
import { compilesOffline, openSurface } from "./providers/registry.ts";
import { skippedOffline } from "./providers/skipped-offline.ts";
import { createScopedCatalogs } from "./scoped-catalogs/create-scoped-catalogs.ts";
import type { ScopedCatalogs } from "./scoped-catalogs/scoped-catalogs.ts";
import { type GatewayServer, startServer } from "./server/http-server.ts";
import type { Store } from "./store/store.ts";
import type { WayOut } from "./upstream/http-client.ts";
import { createHttpClient } from "./upstream/undici-client.ts";
import { createVault } from "./vault/create-vault.ts";
import { deriveKeys } from "./vault/derive-keys.ts";
import type { Vault } from "./vault/vault.ts";

/** What the gateway takes from the process it runs in. */
export interface GatewayOptions {
  /** Paths in messages are relative to it. */
  readonly workingDirectory: string;
  /** The process's variables; local MCP servers inherit a few of them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: (message: string, cause?: unknown) => void;
  /** `offline`: surfaces that need the network are left out and reported as `skipped-offline`. Default `online`. */
  readonly reach?: "online" | "offline";
  /**
   * Who may call. Needed where `auth.provider` is not `none`; its owner closes it. Default: everybody is the same anonymous caller.
   */
  readonly identity?: Identity;
  /** Where callers reach the gateway; its owner shares it with what issues tokens. Default: by the configuration, and where it listens. */
  readonly address?: OwnAddress;
  /** Sign-in at an identity provider. Default: there is none. */
  readonly oidcSignIn?: OidcSignIn;
  /** The gateway's own, for MCP clients. Default: there is none. */
  readonly authorizationServer?: AuthorizationServer;
  /** Where credentials are kept; its owner closes it. Default: nowhere, and only those of the configuration are there. */
  readonly store?: Store | undefined;
  /** What seals them. Default: the keys of the configuration. */
  readonly vault?: Vault;
  /** Absolute path of the folder in which compiled documents are kept for the next start. Default: they are not. */
  readonly cacheFolder?: string;
  /** Whether to try again where an upstream is away. Default true; false where a single look is wanted. */
  readonly retry?: boolean;
  /**
   * True where a single caller uses the gateway for a moment, as a command does: its calls then need no sessions of their own at upstream
   * MCP servers. Default false.
   */
  readonly isBrief?: boolean;
  /** Told of each document that was read, before it is compiled. Its bytes are lent: who keeps them makes a copy. */
  readonly documentRead?: (document: DocumentSource, location: DocumentLocation) => void;
}

/** Whoever runs the command line beside the configuration file: nothing that the file says of callers limits them. */
export const operator: Principal = makePrincipal(
  { kind: "operator" },
  { id: defaultTenant, displayName: defaultTenant, exposure: { kind: "all" }, origin: "file" },
);

/** Why a principal may use a tool or not, and with which credential. */
export interface Explanation {
  readonly decision: Decision;
  /** Absent for a tool that is not there. */
  readonly connection?: readonly ConnectionStep[];
}

const retryPauses = { first: 1_000, longest: 10_000 };
const offline = "not opened: this check is offline.";

/**
 * The running whole: providers, catalog, broker. Everything is put together here; the rooms know each other only through
 * their ports.
 */
export class Gateway {
  readonly snapshot = new CatalogSnapshot();
  readonly broker: Broker;
  readonly #credentials: Credentials;
  readonly #scoped: ScopedCatalogs;
  readonly #identity: Identity;
  readonly #authorizer: Authorizer;
  /** The same decision on the catalog that all callers share. */
  readonly #common: Authorizer;
  readonly #options: GatewayOptions;
  readonly #http: WayOut = createHttpClient({ allowedHosts: () => this.#allowedHosts });
  readonly #documents: DocumentLoader;
  readonly #compile: CompileDocument;
  readonly #parts: BrokerParts;
  #config: GatewayConfig;
  #allowedHosts: readonly string[];
  readonly #address: OwnAddress;
  readonly #providers: ProviderSessions;

  constructor(config: GatewayConfig, options: GatewayOptions) {
    this.#config = config;
    this.#allowedHosts = config.egress.allowedHosts;
    this.#options = options;
    this.#address = options.address ?? createOwnAddress(() => config.server);
    const documents = createDocumentLoader({
      http: this.#http,
      remote: options.reach === "offline" ? "skip" : "fetch",
      workingDirectory: options.workingDirectory,
    });
    this.#documents =
      options.documentRead === undefined ? documents : observe(documents, options.documentRead);
    this.#compile = createDocumentCompiler(
      options.cacheFolder === undefined ? undefined : createCompileCache(options.cacheFolder, options.log),
    );
    if (options.identity === undefined && config.auth.provider !== "none")
      throw new GatewayError("internal", `\`auth.provider: ${config.auth.provider}\` needs an identity.`);
    this.#identity =
      options.identity ??
      createOpenIdentity({ settings: () => this.#config, store: undefined, log: options.log });
    this.#credentials = createCredentials({
      store: options.store,
      vault: options.vault ?? createVault(() => this.#config.server.encryptionKeys),
      providers: () => this.#config.providers,
      mayKnow: (principal, name) => this.#mayKnow(principal, name),
      http: this.#http,
      baseUrl: () => this.#address.baseUrl(),
      log: options.log,
    });
    this.#scoped = createScopedCatalogs({
      snapshot: this.snapshot,
      sessions: () => this.#providers.values(),
      references: (...slot) => this.#credentials.references(...slot),
      source: (reference) => this.#credentials.source(reference),
      epoch: () => this.#credentials.epoch(),
      isStored: (reference) => this.#credentials.isStored(reference),
      mayKnow: (principal, name) => this.#mayKnow(principal, name),
      deadlineMilliseconds: () => this.#config.limits.catalog.listMilliseconds,
      mostTools: () => this.#config.limits.catalog.tools,
      log: options.log,
    });
    this.#credentials.subscribe(({ kind, reference }) => {
      // What is refused keeps its tools: their calls say that somebody has to connect anew.
      if (kind === "connected" || kind === "disconnected") this.#scoped.changed(reference);
    });
    const settings = () => this.#config.authorization;
    // Without sign-in there is one principal, whoever calls.
    const isShared = () => this.#config.auth.provider === "none";
    this.#common = createAuthorizer({ snapshot: this.snapshot, settings, isShared, log: options.log });
    this.#authorizer = createAuthorizer({
      snapshot: this.snapshot,
      indexOf: (principal) => this.#scoped.index(principal),
      settings,
      isShared,
      log: options.log,
    });
    this.#parts = {
      view: (request) => this.view(request.principal, request.via === "mcp" ? "mcp" : "api"),
      couldAllow: (...asked) => this.#authorizer.couldAllow(...asked),
      authorizeArguments: (...call) => this.#authorizer.checkArguments(...call),
      cleanArguments,
      checkSize: createSizeCheck(() => this.#config.limits.requests.argumentBytes),
      checkArguments: createArgumentChecker(),
      credentials: this.#credentials,
      executor: (tool) => this.#providers.get(tool.provider)?.executor(tool.surface),
      ...createCallGuard({
        limits: () => this.#config.limits,
        provider: (name) => this.#providers.limitsOf(name),
      }),
    };
    this.broker = createBroker(this.#parts);
    this.#providers = new ProviderSessions(config.providers, {
      create: (...provider) => this.#createSession(...provider),
      snapshot: this.snapshot,
      log: (message) => options.log(message),
      mostTools: () => this.#config.limits.catalog.tools,
    });
  }

  get config(): GatewayConfig {
    return this.#config;
  }

  /** Opens all providers; resolves once each was tried. Tools appear in the snapshot as providers arrive. */
  async start(): Promise<readonly Diagnostic[]> {
    await this.#providers.start();
    return this.diagnostics();
  }

  /**
   * Replaces the configuration: providers as {@link ProviderSessions.replace} does, and with them everything else at once.
   *
   * @param swapped called at the swap, for what has to change with it, such as who may call.
   */
  async reload(config: GatewayConfig, swapped: () => void = () => {}): Promise<readonly Diagnostic[]> {
    // Until the swap, what runs and what opens beside it both get where they may go.
    this.#allowedHosts = [...this.#config.egress.allowedHosts, ...config.egress.allowedHosts];
    const diagnostics = await this.#providers.replace(config.providers, () => {
      this.#config = config;
      this.#allowedHosts = config.egress.allowedHosts;
      swapped();
    });
    if (diagnostics === undefined) return [];
    return [...diagnostics, ...findUnmatchedGrants(this.snapshot.catalog, config)];
  }

  /** What a principal may see and call now, over MCP or otherwise. */
  view(principal: Principal, surface: "mcp" | "api"): CatalogView {
    // Who does not wait for it, as open streams don't, sees what has changed when it looks again.
    void this.#scoped.prepare(principal);
    return this.#authorizer.view(principal, surface);
  }

  /**
   * Opens what the credentials of a principal allow, where the tools of an upstream depend on them, so that `view` has it; `undefined`:
   * there is nothing to wait for. Never rejects.
   */
  prepare(principal: Principal): Promise<void> | undefined {
    return this.#scoped.prepare(principal);
  }

  /**
   * Resolves once providers that are just being started have arrived, as far as the principal may know of them, or are late: each has some
   * seconds from its own start. `undefined`: there are none. Never rejects.
   */
  arrival(principal: Principal): Promise<void> | undefined {
    const arriving = [...this.#providers.values()].flatMap(({ arrival, config }) =>
      arrival !== undefined && this.#mayKnow(principal, config.name) ? [arrival] : [],
    );
    return arriving.length === 0 ? undefined : this.#afterArrival(arriving);
  }

  async #afterArrival(arriving: readonly Promise<void>[]): Promise<void> {
    await Promise.all(arriving);
    // What has arrived is in the catalog of all a turn later.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** What a principal may do to its connections. */
  connections(principal: Principal): Connections {
    return this.#credentials.connections(principal);
  }

  /** Stored credentials of all tenants that nothing of the configuration uses any more. */
  strayCredentials(): Promise<StrayCredentials> {
    return this.#credentials.stray();
  }

  /** The decision on one tool for one principal, step by step, with the way to its credential. */
  async explain(principal: Principal, surface: "mcp" | "api", name: string): Promise<Explanation> {
    await this.prepare(principal);
    const decision = this.#authorizer.explain(principal, surface, name);
    const { catalog } = this.#scoped.index(principal);
    const entries = catalog.providers.flatMap((provider) => Object.values(provider.entries ?? {}));
    const tool = [...catalog.tools, ...entries].find((candidate) => candidate.name === name);
    const provider = tool && this.#providers.get(tool.provider)?.config;
    if (tool === undefined || provider === undefined) return { decision };
    return { decision, connection: await this.#credentials.explain(provider, tool, principal) };
  }

  /**
   * Serves `/mcp` and the HTTP API. Callers see the catalog grow while `start` runs.
   *
   * @param options `orFreePort`: where the configured port is taken, listens on a free one.
   */
  async listen(options: { readonly orFreePort?: boolean } = {}): Promise<GatewayServer> {
    const server = await startServer({
      ...options,
      config: this.#config.server,
      limits: () => this.#config.limits,
      broker: this.broker,
      snapshot: this.snapshot,
      identity: this.#identity,
      view: (principal, surface) => this.view(principal, surface),
      auth: () => this.#config.auth,
      address: this.#address,
      oidcSignIn: this.#options.oidcSignIn,
      authorizationServer: this.#options.authorizationServer,
      mcpMounted: () => this.#config.providers.some((provider) => provider.mcp.enabled),
      connections: (principal) => this.#credentials.connections(principal),
      finishOAuth: (principal, callback) => this.#credentials.finishOAuth(principal, callback),
      clientMetadata: (path) => this.#credentials.clientMetadata(path),
      prepare: (principal) => this.prepare(principal),
      arrival: (principal) => this.arrival(principal),
      instances: (principal) => this.#scoped.instances(principal),
      connected: (listener) => this.#credentials.subscribe(listener),
      connectPage: connectPage(() => this.#address.baseUrl()),
      scopedChanges: (listener) => this.#scoped.subscribe(listener),
      requestStateKeys: () => deriveKeys(this.#config.server.encryptionKeys, "request state"),
      log: this.#options.log,
    });
    this.#address.listensOn(server.url);
    return server;
  }

  /** The providers as they are now, those that are still starting included. */
  providers(): readonly ProviderCatalog[] {
    this.#providers.publish();
    return this.snapshot.catalog.providers;
  }

  /** Everything that the authors of the configuration and its documents can mend, as of now. */
  diagnostics(): readonly Diagnostic[] {
    const sessions = [...this.#providers.values()];
    const opened = sessions.flatMap((session) => session.diagnostics());
    const grants = findUnmatchedGrants(this.snapshot.catalog, this.#config);
    const skipped = this.#options.reach === "offline" ? skippedOffline(this.#config.providers) : [];
    return [...skipped, ...opened, ...this.#providers.collisions, ...grants];
  }

  /**
   * Absolute paths of the files that providers are compiled from, as far as only their documents name them; those of a provider
   * that a reload could not open anew among them. The list changes as providers arrive.
   */
  watchedFiles(): readonly string[] {
    return this.#providers.watchedFiles();
  }

  /** Ids of the provider's operations that the file's own `select` and `allowed_operations` leave out. */
  leftOut(provider: string): readonly string[] {
    return this.#providers.get(provider)?.leftOut() ?? [];
  }

  /**
   * What a call would send, without sending it: the broker's own sequence with an executor that only writes the request down.
   * A connection that has no credential yet does not stand in the way.
   */
  async preview(request: InvocationRequest): Promise<RequestPreview> {
    let preview: RequestPreview | undefined;
    const broker = createBroker({
      ...this.#parts,
      credentials: {
        ...this.#credentials,
        resolve: async (...call) => {
          try {
            return await this.#parts.credentials.resolve(...call);
          } catch (error) {
            if (error instanceof GatewayError && error.code === "not_connected") return noCredential;
            throw error;
          }
        },
      },
      executor: (tool) => ({
        execute: async (invocation, _tool, credential) => {
          const provider = this.#providers.get(tool.provider)?.config;
          if (provider !== undefined)
            preview = previewRequest(tool, invocation.arguments, provider, credential);
          return { kind: "mcp", result: {}, isError: false };
        },
      }),
      count: undefined,
      interceptors: [],
    });
    await broker.invoke(request);
    if (preview === undefined) throw new GatewayError("internal", "The request could not be previewed.");
    return preview;
  }

  async close(): Promise<void> {
    await this.#providers.close();
    this.#scoped.close();
    await this.#credentials.close();
    await this.#http.close();
  }

  #createSession(provider: ProviderConfig, onChange: () => void): ProviderSession {
    return new ProviderSession(provider, {
      openSurface,
      context: {
        http: this.#http.within({ ...provider.limits, setAt: `providers.${provider.name}.limits` }),
        documents: this.#documents,
        compile: this.#compile,
        allowedHosts: this.#allowedHosts,
        credential: (connection) =>
          (connection === undefined ? undefined : this.#credentials.gatewaySource(provider, connection)) ??
          noCredential,
        environment: this.#options.environment,
        ...(this.#options.isBrief === true && { isBrief: true }),
        log: this.#options.log,
      },
      blockedBy: (surface) => {
        return this.#options.reach === "offline" && !compilesOffline(surface) ? offline : undefined;
      },
      source: (reference) => this.#credentials.source(reference),
      onChange,
      retry: this.#options.retry === false ? undefined : retryPauses,
      arrivalMilliseconds: () => this.#config.limits.catalog.listMilliseconds,
    });
  }

  /**
   * Whether a principal may know that there is such a provider: by what all share, or by what its own credentials have opened. Who was
   * let in by the one and finds nothing for them behind it has to get out again.
   */
  #mayKnow(principal: Principal, provider: string): boolean {
    return [this.#common, this.#authorizer].some((authorizer) =>
      authorizer.view(principal, "api").providers.some(({ name }) => name === provider),
    );
  }
}

function observe(
  documents: DocumentLoader,
  tell: (document: DocumentSource, location: DocumentLocation) => void,
): DocumentLoader {
  return {
    ...documents,
    source: async (location, load) => {
      const read = await documents.source(location, load);
      if (read.ok) tell(read.document, location);
      return read;
    },
  };
}

export { silentPeer } from "./broker/silent-peer.ts";
export type { StrayCredential } from "./credentials/prune-credentials.ts";
export type { ArgumentTarget } from "./providers/describe-tool.ts";
export { targetsOf } from "./providers/describe-tool.ts";
export { type OpenApiSurvey, type SuggestedAuth, surveyDocument } from "./providers/survey-openapi.ts";
export type { GatewayServer } from "./server/http-server.ts";
export { describeTool } from "./server/mcp/describe-tool.ts";
export type { StdioConnection } from "./server/mcp/stdio-endpoint.ts";
