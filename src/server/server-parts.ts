import type { AuthorizationServer } from "../authorization-server/authorization-server.ts";
import type { Broker } from "../broker/broker.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { CatalogView } from "../catalog/view.ts";
import type { OidcSignIn } from "../federation/oidc-sign-in.ts";
import type { Identity } from "../identity/identity.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { ServerConfig } from "../model/config.ts";
import type { LimitsConfig } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";
import type { OwnAddress } from "../own-address.ts";
import type { ConnectionParts } from "./connection-parts.ts";

/** What the server stands on. */
export interface ServerParts extends ConnectionParts {
  readonly config: Omit<ServerConfig, "encryptionKeys">;
  /** As of now; what is said of connections and headers counts as it was at the start. */
  readonly limits: () => LimitsConfig;
  readonly broker: Broker;
  readonly snapshot: CatalogSnapshot;
  /** Who is calling, and what can be done to callers. */
  readonly identity: Identity;
  /** What a principal may see and call now, through either way in. */
  readonly view: (principal: Principal, surface: "mcp" | "api") => CatalogView;
  /** As of now; a reload changes it. */
  readonly auth: () => AuthConfig;
  readonly address: OwnAddress;
  /** Sign-in at an identity provider; `undefined`: there is none. */
  readonly oidcSignIn?: OidcSignIn | undefined;
  /** The gateway's own; `undefined`: there is none. */
  readonly authorizationServer?: AuthorizationServer | undefined;
  /** Whether any provider is offered over MCP; otherwise `/mcp` does not exist. */
  readonly mcpMounted: () => boolean;
  /**
   * Keys of 32 bytes that seal what MCP clients keep for the gateway, the newest first; none where none are configured: then such things
   * end with the process. Absent: none.
   */
  readonly requestStateKeys?: () => readonly Buffer[];
  /** Where its port is taken, whether to listen on a free one instead. Default false. */
  readonly orFreePort?: boolean;
  readonly log: (message: string, cause?: unknown) => void;
}
