import type { JsonObject } from "../../src/model/json.ts";

/** What a client in the field sends, as far as it is on record. */
export interface RecordedClient {
  readonly name: string;
  /** Where the record is; what is not on record is said here too. */
  readonly source: string;
  /** The body of its registration (RFC 7591). */
  readonly body: JsonObject;
  /** Redirect URIs that it then asks to be sent to. */
  readonly uses: readonly string[];
  /** Parameters of its authorization request besides those that all have. */
  readonly asks?: Readonly<Record<string, string>>;
  /** Whether it says which resource the token is for (RFC 8707); default true. */
  readonly namesResource?: boolean;
}

const publicCode = {
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
} as const;

/** The registrations of clients that can't run here. */
export const recordedClients: readonly RecordedClient[] = [
  {
    name: "Cursor",
    source:
      "The three URIs: github.com/erp-mafia/accounted/pull/2225; `none`: github.com/different-ai/openwork/pull/3059. Not on record: the name.",
    body: {
      client_name: "Cursor",
      redirect_uris: [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
      ],
      ...publicCode,
    },
    uses: [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ],
  },
  {
    name: "Visual Studio Code",
    source:
      "fetchDynamicRegistration in github.com/microsoft/vscode, src/vs/base/common/oauth.ts; other ports: github.com/microsoft/vscode/issues/278512.",
    body: {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      redirect_uris: [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
      ],
      scope: "mcp",
      application_type: "native",
      ...publicCode,
    },
    uses: [
      "http://127.0.0.1:33418/",
      "http://127.0.0.1:59656/",
      "https://vscode.dev/redirect",
      "https://insiders.vscode.dev/redirect",
    ],
    asks: { scope: "mcp" },
  },
  {
    name: "Claude",
    source:
      "Both URIs: developers.boldsign.com/boldsign-mcp-server/claude and docs.zuora.com, Redirect URIs by MCP client. Not on record: the other members.",
    body: {
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
      ...publicCode,
    },
    uses: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
  },
  {
    name: "Claude, with a secret",
    source:
      "github.com/akutishevsky/withings-mcp/pull/29 reports that it kept to servers which issue one; members as those of a client with a secret.",
    body: {
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
      ...publicCode,
      token_endpoint_auth_method: "client_secret_post",
    },
    uses: ["https://claude.ai/api/mcp/auth_callback"],
  },
  {
    name: "Claude Code",
    source:
      "github.com/anthropics/claude-code/issues/10439 (any port) and docs.zuora.com. Not on record: the other members.",
    body: { client_name: "Claude Code", redirect_uris: ["http://localhost:56648/callback"], ...publicCode },
    uses: ["http://localhost:56648/callback", "http://localhost:3118/callback"],
  },
  {
    name: "Claude Desktop, local",
    source: "github.com/anthropics/claude-code/issues/24870: name and URI. Not on record: the other members.",
    body: {
      client_name: "MCP CLI Proxy",
      redirect_uris: ["http://localhost:35535/oauth/callback"],
      ...publicCode,
    },
    uses: ["http://localhost:35535/oauth/callback"],
  },
  {
    name: "ChatGPT",
    source: "Both URIs: github.com/makeplane/plane-mcp-server/pull/165. Not on record: the other members.",
    body: {
      client_name: "ChatGPT",
      redirect_uris: [
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "https://chatgpt.com/connector/oauth/AbC123_x-9",
      ],
      ...publicCode,
    },
    uses: [
      "https://chatgpt.com/connector_platform_oauth_redirect",
      "https://chatgpt.com/connector/oauth/AbC123_x-9",
    ],
  },
  {
    name: "Zed",
    source: "dcr_registration_body in github.com/zed-industries/zed, crates/context_server/src/oauth.rs.",
    body: {
      client_name: "Zed",
      redirect_uris: ["http://127.0.0.1:52345/callback"],
      scope: "mcp",
      ...publicCode,
    },
    uses: ["http://127.0.0.1:52345/callback"],
    asks: { scope: "mcp" },
  },
  {
    name: "Gemini CLI",
    source:
      "registerClient in github.com/google-gemini/gemini-cli, packages/core/src/mcp/oauth-provider.ts: an empty scope.",
    body: {
      client_name: "Gemini CLI MCP Client",
      redirect_uris: ["http://localhost:7777/oauth/callback"],
      scope: "",
      ...publicCode,
    },
    uses: ["http://localhost:7777/oauth/callback"],
  },
  {
    name: "Codex CLI",
    source:
      "The URI with an id of the server's URL: github.com/openai/codex, codex-rs/rmcp-client/src/perform_oauth_login.rs; without `resource`: github.com/openai/codex/issues/12762. Not on record: the name.",
    body: {
      client_name: "Codex",
      redirect_uris: ["http://127.0.0.1:61888/callback/Zm9vYmFyYmF6"],
      ...publicCode,
    },
    uses: ["http://127.0.0.1:61888/callback/Zm9vYmFyYmF6"],
    namesResource: false,
  },
  {
    name: "GitHub Copilot CLI",
    source:
      "github.com/github/copilot-cli/issues/1951: another port than the registered one. Not on record: path and name.",
    body: { client_name: "GitHub Copilot CLI", redirect_uris: ["http://127.0.0.1:41001/"], ...publicCode },
    uses: ["http://127.0.0.1:41001/", "http://127.0.0.1:52002/"],
  },
  {
    name: "Windsurf",
    source:
      "Not on record at all: that it signs in by OAuth is in docs.windsurf.com/windsurf/cascade/mcp; the rest is what clients of its kind send.",
    body: {
      client_name: "Windsurf",
      redirect_uris: ["windsurf://codeium.windsurf/oauth/callback", "http://127.0.0.1:55555/callback"],
      ...publicCode,
    },
    uses: ["windsurf://codeium.windsurf/oauth/callback", "http://127.0.0.1:55555/callback"],
  },
  {
    name: "a client that asks for an identity as well",
    source: "github.com/supabase/mcp/issues/183: mcp-remote and Windsurf with `openid email profile`.",
    body: {
      client_name: "MCP CLI Proxy",
      redirect_uris: ["http://127.0.0.1:3334/oauth/callback"],
      scope: "openid email profile",
      ...publicCode,
    },
    uses: ["http://127.0.0.1:3334/oauth/callback"],
    asks: { scope: "openid email profile offline_access", prompt: "consent" },
  },
];
