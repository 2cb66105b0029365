import type { ProviderConfig } from "../../model/config.ts";
import type { Principal } from "../../model/principal.ts";
import type { Store } from "../../store/store.ts";
import type { HttpClient } from "../../upstream/http-client.ts";
import type { Vault } from "../../vault/vault.ts";
import type { CredentialStore } from "../credential-store.ts";
import type { CredentialChange } from "../credentials.ts";
import type { McpAuthorization } from "../mcp-oauth/mcp-authorization.ts";
import type { TokenClient } from "../oauth/token-client.ts";

/** What the ways in which credentials come and go stand on. */
export interface FlowParts {
  /** As of now; a reload changes them. */
  readonly providers: () => readonly ProviderConfig[];
  /** Whether a principal may know of a provider. */
  readonly mayKnow: (principal: Principal, provider: string) => boolean;
  readonly credentials: CredentialStore;
  /** `undefined`: nothing can be stored. */
  readonly store: Store | undefined;
  readonly vault: Vault;
  readonly tokens: TokenClient;
  readonly mcp: McpAuthorization;
  readonly http: HttpClient;
  /** The URL at which people and authorization servers reach the gateway, without a slash at the end. */
  readonly baseUrl: () => string;
  readonly changed: (change: CredentialChange) => void;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
