import { GatewayError } from "../errors.ts";
import type { GatewayServer, StdioConnection } from "../gateway.ts";
import type { GatewayConfig } from "../model/config.ts";
import { Secret } from "../secret.ts";
import { standardStreams } from "./console.ts";

const howToGetOne = "`gateway tokens create NAME --user USER` makes one";

/**
 * Speaks MCP to the client that has started this process, on its standard input and output. Where callers sign in, it is whoever the API
 * token in `GATEWAY_TOKEN` stands for.
 * Throws `GatewayError` (`unauthenticated`) for a token that is missing or refused.
 */
export async function connectStdio(
  server: GatewayServer,
  { auth }: GatewayConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<StdioConnection> {
  const token = (environment["GATEWAY_TOKEN"] ?? "").trim();
  if (auth.provider !== "none" && token === "") {
    throw new GatewayError(
      "unauthenticated",
      `Callers of this gateway sign in, so \`--stdio\` needs an API token in the variable GATEWAY_TOKEN; ${howToGetOne}.`,
    );
  }
  try {
    return await server.connectStdio(standardStreams(), token === "" ? undefined : new Secret(token));
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "unauthenticated") throw error;
    // What the gateway says of it is for whoever calls over HTTP.
    const why = token.startsWith("gst_oat_")
      ? "The variable GATEWAY_TOKEN holds an access token, which counts over HTTP only; `--stdio` needs an API token"
      : "The API token in the variable GATEWAY_TOKEN is refused: it has expired, was revoked, or belongs to another gateway";
    throw new GatewayError("unauthenticated", `${why}; ${howToGetOne}.`, { cause: error });
  }
}
