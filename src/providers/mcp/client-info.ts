import { version } from "../../version.ts";

/** How the gateway introduces itself to upstream MCP servers. */
export const clientInfo = { name: "gestalt-gateway", title: "Gestalt Gateway", version } as const;
