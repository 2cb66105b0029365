import type { Connection } from "../model/config-file.generated.ts";

/** Whether the credentials of a connection are stored, because somebody has to connect it. */
export function isStored({ mode, auth }: Connection): boolean {
  switch (auth?.type) {
    case "bearer":
    case "manual":
      return mode === "user" || mode === "tenant" || mode === "either";
    case "oauth2":
      return mode !== "none" && auth.grant !== "client_credentials";
    case "mcp_oauth":
      return mode !== "none";
    default:
      return false;
  }
}
