import type { Executor } from "../broker/executor.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { DocumentLoader } from "../documents/load-document.ts";
import type { RetryBudget } from "../limits/retry-budget.ts";
import type { Operation } from "../model/catalog.ts";
import type { DocumentLocation, ProviderConfig, SurfaceConfig } from "../model/config.ts";
import type { CredentialReference } from "../model/credential.ts";
import type { McpFeatures } from "../model/features.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import type { CompileDocument } from "./compile-thread/document-compiler.ts";
import type { GivenCredential } from "./credential-source.ts";

/** One kind of surface: how it is compiled and how its operations are called. `registry.ts` lists them all. */
export interface ProviderKind<Surface extends SurfaceConfig> {
  readonly kind: Surface["kind"];
  /** True when the surface can be compiled without the network: offline `validate` opens only those. */
  readonly compilesOffline: (surface: Surface) => boolean;
  /**
   * Reads what describes the surface and compiles it.
   *
   * What an author can fix comes back as diagnostics: an error without any operation means that the surface can't be
   * offered; with some, or as a warning, that the others are missing or reduced. An upstream that can't be reached throws `GatewayError` (`provider_unavailable`),
   * and the caller tries again later.
   */
  open(surface: Surface, provider: ProviderConfig, context: ProviderContext): Promise<OpenSurface>;
}

/** What a surface may use of the outside world. */
export interface ProviderContext {
  readonly http: HttpClient;
  readonly documents: DocumentLoader;
  /** Compiles OpenAPI documents, large ones on a thread of their own. */
  readonly compile: CompileDocument;
  /** Hosts that documents and upstreams may lead to although they are not public: `egress.allowed_hosts`. */
  readonly allowedHosts: readonly string[];
  /** The variables of the gateway's own process; a local command inherits a few of them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * The credential of the named connection, for reading documents, schemas and lists; empty where there is none: that of `owner`, else
   * the gateway's own. A source is asked at each request, because its credential may change meanwhile.
   */
  readonly credential: (connection: string | undefined) => GivenCredential;
  /**
   * True where a single caller, who is no client, uses what is opened and then closes it, as a command does. Calls then need no sessions
   * of their own.
   */
  readonly isBrief?: boolean;
  /** Whose credential a surface is opened with; absent: the gateway's own. It takes calls with no other. */
  readonly owner?: CredentialReference;
  /** What repetitions of calls come out of, over all surfaces of the provider; absent: each has a budget of its own. */
  readonly retryBudget?: RetryBudget;
  readonly signal: AbortSignal;
  /** A line for the operator's log; the cause of a failure goes there and nowhere else. */
  readonly log: (message: string, cause?: unknown) => void;
}

/** A surface that is compiled and ready to be called. */
export interface OpenSurface {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
  readonly executor: Executor;
  /** Absolute paths of the files that it was compiled from, missing ones that it asked for included; default none. */
  readonly files?: readonly string[];
  /** What an MCP server has besides tools; absent: nothing. */
  readonly features?: McpFeatures;
  /** `upstream`: the operations come from a running upstream and may change. */
  readonly origin: "declared" | "upstream";
  /**
   * Calls back with the new operations when the upstream changes them, or with the reason when it has gone away
   * (its operations stay as they were).
   */
  readonly watch?: (listener: (change: SurfaceChange) => void) => void;
  readonly close: () => Promise<void>;
}

/** What a running upstream can tell after it was opened. */
export type SurfaceChange =
  | {
      readonly kind: "operations";
      readonly operations: readonly Operation[];
      readonly diagnostics: readonly Diagnostic[];
      readonly features?: McpFeatures;
    }
  | { readonly kind: "lost"; readonly reason: string };

/** True for a document that can be read without the network. A path that still holds a reference has no value offline. */
export function isReadableOffline(location: DocumentLocation): boolean {
  return location.kind === "file" && !location.path.includes("${");
}
