import type { JsonObject } from "../model/json.ts";

/** What a client's configuration is made of. */
export interface ClientTarget {
  /** What the client calls the gateway. */
  readonly name: string;
  /** The gateway's MCP endpoint. */
  readonly url: string;
  /** `oauth`: the client signs its user in by itself. `token`: it sends an API token. `none`: nobody signs in. */
  readonly signIn: "oauth" | "token" | "none";
  /** A client of the authorization server that need not register; `undefined`: it registers by itself. */
  readonly clientId: string | undefined;
  /** Whether that client has a secret. */
  readonly hasSecret: boolean;
  /** Where a file with headers may be kept on this machine. */
  readonly headersFile: string;
}

/** A client that people use. */
export interface ClientProfile {
  readonly id: string;
  readonly title: string;
  /** Where its configuration is kept, for people. */
  readonly file: string;
  /** What stands there; nothing secret. */
  block(target: ClientTarget): JsonObject;
  /** What else there is to know, a sentence or command each. */
  notes(target: ClientTarget): readonly string[];
  /** Where it receives codes, by which a client that does not register has to be known. */
  readonly callbacks: readonly string[];
}

/** The variable that an API token is taken from; the same as of the commands that talk to a gateway elsewhere. */
const tokenVariable = "GATEWAY_TOKEN";
const secretVariable = "GATEWAY_CLIENT_SECRET";
/** Holds `Bearer` and the token, as some clients tear arguments with spaces apart. */
const headerVariable = "GATEWAY_AUTHORIZATION";

const howToMakeToken = "`gateway tokens create NAME --user USER` makes a token.";

const claudeCode: ClientProfile = {
  id: "claude-code",
  title: "Claude Code",
  file: "`.mcp.json` in the project",
  callbacks: ["http://localhost/callback"],
  block: (target) => ({
    mcpServers: {
      [target.name]: {
        type: "http",
        url: target.url,
        ...bearer(target, `\${${tokenVariable}}`),
        ...(target.clientId !== undefined && { oauth: { clientId: target.clientId } }),
      },
    },
  }),
  notes: ({ name, url, signIn, clientId, hasSecret }) => {
    const client =
      clientId === undefined ? "" : ` --client-id ${clientId}${hasSecret ? " --client-secret" : ""}`;
    return signIn === "token"
      ? [`Set ${tokenVariable} to an API token before \`claude\` is started. ${howToMakeToken}`]
      : [
          `Or, without the file: claude mcp add --transport http${client} ${name} ${url}`,
          ...(hasSecret ? ["The command asks for the client's secret, which the file does not hold."] : []),
          ...(signIn === "oauth" ? ["Then sign in with `/mcp` inside of Claude Code."] : []),
        ];
  },
};

const claudeDesktop: ClientProfile = {
  id: "claude-desktop",
  title: "Claude Desktop",
  file: "`claude_desktop_config.json` (Settings > Developer > Edit Config)",
  callbacks: ["http://localhost/oauth/callback"],
  block: (target) => throughMcpRemote(target, ["--header-file", target.headersFile]),
  notes: ({ url, signIn, headersFile, hasSecret }) => [
    ...(signIn === "oauth" && url.startsWith("https://")
      ? [
          `Or, where the gateway can be reached from the internet, without the file: Settings > Connectors > Add custom connector, with ${url}`,
        ]
      : []),
    ...(signIn === "token"
      ? [
          `Put the line \`Authorization: Bearer TOKEN\` into ${headersFile}, which nobody else may read (chmod 600). ${howToMakeToken}`,
        ]
      : []),
    ...secretNote(hasSecret),
    "It needs Node.js for `npx`. Quit Claude Desktop and start it again.",
  ],
};

const cursor: ClientProfile = {
  id: "cursor",
  title: "Cursor",
  file: "`.cursor/mcp.json` in the project, or `~/.cursor/mcp.json`",
  // Which of the two depends on its version.
  callbacks: ["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:8787/callback"],
  block: (target) => ({ mcpServers: { [target.name]: cursorServer(target) } }),
  notes: (target) => {
    const config = Buffer.from(JSON.stringify(cursorServer(target))).toString("base64");
    const link = `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(target.name)}&config=${encodeURIComponent(config)}`;
    return [
      ...(target.signIn === "token"
        ? [`Set ${tokenVariable} to an API token before Cursor is started. ${howToMakeToken}`]
        : []),
      ...secretNote(target.hasSecret),
      `Or open this link: ${link}`,
    ];
  },
};

const vscode: ClientProfile = {
  id: "vscode",
  title: "VS Code",
  file: "`.vscode/mcp.json` in the workspace, or what `MCP: Open User Configuration` opens",
  callbacks: ["http://127.0.0.1/", "https://vscode.dev/redirect"],
  block: (target) => ({
    servers: { [target.name]: vscodeServer(target) },
    ...(target.signIn === "token" && {
      inputs: [
        {
          type: "promptString",
          id: "gateway-token",
          description: `API token of ${target.name}`,
          password: true,
        },
      ],
    }),
  }),
  notes: (target) =>
    target.signIn === "token"
      ? [`VS Code asks for the API token and keeps it. ${howToMakeToken}`]
      : [
          ...(target.hasSecret
            ? [
                "This client has a secret, which the file can't hold. Programs on people's machines keep none: give VS Code a client without `client_secret`.",
              ]
            : []),
          `Or open this link: vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: target.name, ...vscodeServer(target) }))}`,
        ],
};

const mcpRemote: ClientProfile = {
  id: "mcp-remote",
  title: "mcp-remote, for clients that only start local servers",
  file: "the client's list of MCP servers",
  callbacks: ["http://localhost/oauth/callback"],
  block: (target) => throughMcpRemote(target, ["--header", `Authorization:\${${headerVariable}}`]),
  notes: ({ signIn, hasSecret }) => [
    ...(signIn === "token"
      ? [
          `Set ${headerVariable} to \`Bearer TOKEN\` where the client is started, or keep the header in a file, with \`--header-file FILE\` in place of \`--header\`. ${howToMakeToken}`,
        ]
      : []),
    ...secretNote(hasSecret),
    "It needs Node.js for `npx`.",
  ],
};

/** All of them, in the order in which they are printed. */
export const clientProfiles: readonly ClientProfile[] = [
  claudeCode,
  claudeDesktop,
  cursor,
  vscode,
  mcpRemote,
];

/** A local server that forwards to the gateway; `headers`: its arguments for an API token. */
function throughMcpRemote(target: ClientTarget, headers: readonly string[]): JsonObject {
  const { name, url, signIn, clientId, hasSecret } = target;
  const client = { client_id: clientId, ...(hasSecret && { client_secret: `\${${secretVariable}}` }) };
  return {
    mcpServers: {
      [name]: {
        command: "npx",
        args: [
          "-y",
          "mcp-remote@latest",
          url,
          // It takes http for two of this machine's names only.
          ...(/^https:|^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(url) ? [] : ["--allow-http"]),
          ...(signIn === "token" ? headers : []),
          ...(clientId === undefined ? [] : ["--static-oauth-client-info", JSON.stringify(client)]),
        ],
      },
    },
  };
}

function cursorServer(target: ClientTarget): JsonObject {
  const { url, clientId, hasSecret } = target;
  return {
    url,
    ...bearer(target, `\${env:${tokenVariable}}`),
    ...(clientId !== undefined && {
      auth: { CLIENT_ID: clientId, ...(hasSecret && { CLIENT_SECRET: `\${env:${secretVariable}}` }) },
    }),
  };
}

function vscodeServer(target: ClientTarget): JsonObject {
  return {
    type: "http",
    url: target.url,
    ...bearer(target, "${input:gateway-token}"),
    ...(target.clientId !== undefined && { oauth: { clientId: target.clientId } }),
  };
}

/** The header for an API token, which the client fills in; nothing where it signs in by itself. */
function bearer({ signIn }: ClientTarget, placeholder: string): JsonObject {
  return signIn === "token" ? { headers: { Authorization: `Bearer ${placeholder}` } } : {};
}

function secretNote(hasSecret: boolean): readonly string[] {
  return hasSecret ? [`Set ${secretVariable} to the client's secret where the client is started.`] : [];
}
