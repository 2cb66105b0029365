/** Something that has happened to another program, and the test that shows that it does not happen here. */
export interface Advisory {
  /** The row of the threat table that names it. */
  readonly row: number;
  /** As the table names it: an advisory, a CVE, an issue, or the name of the incident. */
  readonly id: string;
  /** What it was. */
  readonly what: string;
  /** The file of the test, below `test/`. */
  readonly file: string;
  /** A part of the test's name as the file writes it. */
  readonly test: string;
}

type Entry = readonly [id: string, what: string, file: string, test: string];

/** Every advisory that a row names whose feature exists. */
const byRow: Readonly<Record<number, readonly Entry[]>> = {
  1: [
    [
      "CVE-2026-59822",
      "LiteLLM: a made-up Authorization header led to an empty auth object, which passed",
      "attack/row-01-auth-faults.test.ts",
      "fabricated credentials pass nowhere (LiteLLM CVE-2026-59822)",
    ],
    [
      "PraisonAI validate",
      "a token that nobody knows was valid",
      "attack/row-01-auth-faults.test.ts",
      "a thousand generated ones, and those one character beside a real one",
    ],
    [
      "nginx-ui allowlist",
      "an empty list of who may let everybody in",
      "attack/row-02-same-decision.test.ts",
      "each caller is shown what the file says",
    ],
    [
      "CVE-2026-11717",
      "mcp-toolbox: an opaque token that could not be checked passed",
      "attack/row-01-auth-faults.test.ts",
      "each backend with each fault",
    ],
    [
      "CVE-2026-11718",
      "mcp-toolbox: the same where the answer about a token was malformed",
      "attack/row-01-auth-faults.test.ts",
      "each record malformed in every member",
    ],
  ],
  2: [
    [
      "CVE-2026-11719",
      "mcp-toolbox: scopes were checked for the newest version of the protocol alone",
      "attack/row-02-same-decision.test.ts",
      "every version of MCP shows a caller the same tools",
    ],
    [
      "PraisonAI WS/SSE",
      "older transports asked for no credential",
      "attack/row-02-same-decision.test.ts",
      "what every caller may call is what it is shown, and nothing else",
    ],
  ],
  3: [
    [
      "toolhive #6216",
      "a tool that was filtered from the list could be called",
      "attack/row-03-hidden-tools.test.ts",
      "hidden and unknown tools are refused in the same words",
    ],
    [
      "gh-aw#22908",
      "a tool that was not allowed could be called by its name",
      "attack/row-03-hidden-tools.test.ts",
      "the lists hold what the file offers and nothing else",
    ],
    [
      "GHSA-vw82",
      "Obot: any user could connect to any server by its id",
      "attack/row-07-tenants.test.ts",
      "5,000 probes across tenants reach nothing and tell nothing",
    ],
    [
      "GHSA-g53w",
      "Kuadrant: a request's authority led around the policy",
      "attack/row-24-rebinding.test.ts",
      "a page that reaches the gateway under the Host %j is refused on every route",
    ],
  ],
  4: [
    [
      "toolhive #6092",
      "a media type in capitals, or the status 201, was not filtered",
      "attack/row-04-framing.test.ts",
      "$face: the content type $type is $end",
    ],
    [
      "toolhive #6234",
      "a POST of text/plain was not authorized",
      "attack/row-04-framing.test.ts",
      "$face: the content type $type is $end",
    ],
    [
      "toolhive #6304",
      "a byte order mark kept a body from being filtered",
      "attack/row-04-framing.test.ts",
      "$face: a call framed as $name is $end, and is sent only as it was checked",
    ],
    [
      "toolhive #6088",
      "an event was filtered line by line",
      "attack/row-04-framing.test.ts",
      "$face: a call framed as $name is $end, and is sent only as it was checked",
    ],
  ],
  5: [
    [
      "GHSA-4gph",
      "Envoy AI Gateway: the policy read another name than the upstream",
      "attack/row-05-smuggling.test.ts",
      "MCP modern: %s never calls a tool that is hidden or that the headers do not name",
    ],
    [
      "CVE-2026-27896",
      "Go SDK: keys of another case were read as the real ones",
      "attack/row-05-smuggling.test.ts",
      "MCP legacy: %s never calls a tool that is hidden",
    ],
    [
      "GHSA-q382",
      "a NUL within a name cut it off",
      "attack/row-05-names.test.ts",
      "%s: whatever text stands there is refused, clearly and briefly, and nothing comes of it",
    ],
  ],
  6: [
    [
      "CVE-2026-25536",
      "TS SDK: equal ids on a shared transport led answers to another client",
      "attack/row-06-crosstalk.test.ts",
      "50 clients with equal ids, 5,000 calls at a time",
    ],
    [
      "CVE-2026-48529",
      "github-mcp: one client for everybody",
      "attack/row-06-crosstalk-upstreams.test.ts",
      "clients with equal ids and tokens",
    ],
    [
      "CVE-2026-52869",
      "Python SDK: a session could be taken over",
      "attack/row-06-crosstalk.test.ts",
      "one session's id is no way into another's calls: a guessed session is refused",
    ],
    [
      "CVE-2026-52870",
      "Python SDK: what was cancelled was somebody else's",
      "attack/row-06-crosstalk.test.ts",
      "a session cancels its own calls only",
    ],
    [
      "fastmcp 163c168",
      "what one request left behind reached another",
      "attack/row-06-crosstalk.test.ts",
      "1,000 calls of the HTTP API at a time: no answer reaches another",
    ],
    [
      "Asana leak",
      "results of one customer were shown to others",
      "attack/row-06-crosstalk-upstreams.test.ts",
      "40 clients that subscribe: each hears of its own resource alone",
    ],
  ],
  7: [
    [
      "Asana",
      "an id of another tenant's record was enough",
      "attack/row-07-tenants.test.ts",
      "5,000 probes across tenants reach nothing and tell nothing",
    ],
    [
      "railgrid#396",
      "the tenant came from the request",
      "attack/row-07-tenants.test.ts",
      "who may act for one tenant may not act for another",
    ],
    [
      "GHSA-WF8Q",
      "MCPHub: a user's name in the path chose whose data it was",
      "attack/row-07-tenants.test.ts",
      "a session of MCP belongs to the tenant that opened it",
    ],
    [
      "GHSA-gj7g",
      "ContextForge: a narrowed token of an administrator could do everything",
      "attack/row-06-narrowed-subscriptions.test.ts",
      "a session's stream tells only what the token on it may read now",
    ],
    [
      "ContextForge #4654",
      "tools of other teams were listed",
      "attack/row-07-tenants.test.ts",
      "over MCP, the tools of another tenant are no tools",
    ],
  ],
  8: [
    [
      "CVE-2026-27124",
      "FastMCP: consent to one client counted for another",
      "attack/row-08-consent.test.ts",
      "consent to one client is none to another",
    ],
    [
      "GHSA-rww4",
      "FastMCP: consent was not bound to the browser",
      "attack/row-08-consent.test.ts",
      "no cookie that a neighbour can set carries somebody's answer on in another browser",
    ],
    [
      "CVE-2026-42230",
      "n8n: refusing led to wherever the request said",
      "attack/row-08-consent.test.ts",
      "refusing leads to the client's own address only (n8n CVE-2026-42230)",
    ],
    [
      "CVE-2026-31944",
      "LibreChat: who finished was not who had begun",
      "attack/row-08-consent.test.ts",
      "who finishes is who has begun (LibreChat CVE-2026-31944)",
    ],
  ],
  10: [
    [
      "toolhive #6235",
      "Authorization and Cookie of callers went on to upstreams",
      "attack/row-10-no-token-leaves.test.ts",
      "calls go out without it",
    ],
  ],
  11: [
    [
      "fastmcp#4901",
      "two refreshes at once ended the grant",
      "attack/row-11-refresh.test.ts",
      "1,000 callers in each of 2 processes",
    ],
    [
      "claude-code#84440",
      "several processes used one refresh token",
      "attack/row-11-refresh.test.ts",
      "1,000 callers in each of 2 processes",
    ],
    [
      "opencode#34074",
      "a refresh that was answered was lost with its process",
      "attack/row-11-refresh.test.ts",
      "50 processes killed while they refresh",
    ],
    [
      "opencode#49439",
      "the same, for tokens of MCP servers",
      "attack/row-11-refresh.test.ts",
      "50 processes killed while they refresh",
    ],
    [
      "oh-my-pi#5072",
      "who lost the race deleted the winner's token",
      "attack/row-11-refresh.test.ts",
      "nobody loses a grant",
    ],
  ],
  12: [
    [
      "?api_key=",
      "keys in URLs, where every log has them",
      "attack/row-12-secrets.test.ts",
      "each secret went over the socket of its own provider and over no other",
    ],
    [
      "CVE-2026-20205",
      "Splunk: tokens in a log, in clear text",
      "attack/row-12-secrets.test.ts",
      "serving, listing, calling, failing, reloading and stopping tell none, with GATEWAY_DEBUG too",
    ],
  ],
  13: [
    [
      "GHSA-8pcq",
      "ContextForge: a default key that everybody knows",
      "attack/row-13-keys.test.ts",
      "a key that others know does nothing where it got past the configuration",
    ],
    [
      "GHSA-m8rv",
      "ContextForge: a start with a weak key",
      "attack/row-13-keys.test.ts",
      "with %s: refused, over an empty store too, beside a good key too",
    ],
    [
      "GHSA-vgf8",
      "ContextForge: a token of one environment counted in another",
      "attack/row-13-keys.test.ts",
      "follow from the gateway's own, rotate with them, and are for one purpose",
    ],
  ],
  14: [
    [
      "agentgateway #2191",
      "keys were compared character by character",
      "attack/row-14-timing.test.ts",
      "what is compared is the hash, in constant time",
    ],
  ],
  15: [
    [
      "GHSA-3768",
      "toolhive: metadata of a server led to private addresses",
      "attack/row-15-advisories.test.ts",
      "what a remote server says of its authorization leads nowhere inside",
    ],
    [
      "CVE-2026-54450",
      "toolhive: the same by the address of its authorization server",
      "attack/row-15-advisories.test.ts",
      "an authorization server of a resource",
    ],
    [
      "CVE-2026-58196",
      "toolhive: the same by the address of its token endpoint",
      "attack/row-15-advisories.test.ts",
      "a token endpoint",
    ],
    [
      "CVE-2026-44430",
      "registry: 6to4, NAT64 and site-local addresses counted as public",
      "attack/row-15-ssrf.test.ts",
      "no form of a host that is not public gets a connection",
    ],
    [
      "fastmcp NAT64",
      "an address within a NAT64 one counted as public",
      "attack/row-15-advisories.test.ts",
      "addresses within addresses",
    ],
    [
      "fastmcp #4426",
      "a redirect led inside",
      "attack/row-15-egress.test.ts",
      "a redirect of a document to %s ends there",
    ],
    [
      "ContextForge dc429d9",
      "a name was looked up twice, and led inside the second time",
      "attack/row-15-rebinding.test.ts",
      "a name that is rebound",
    ],
    [
      "CVE-2026-26118",
      "Azure MCP: an address as an argument got the server's token",
      "attack/row-15-advisories.test.ts",
      "Azure MCP CVE-2026-26118: an argument that is an address",
    ],
    [
      "CVE-2026-31945",
      "LibreChat: a name that leads inside",
      "attack/row-15-advisories.test.ts",
      "LibreChat CVE-2026-31945 (names that lead inside)",
    ],
  ],
  16: [
    [
      "GHSA-vv7q",
      "FastMCP: an argument in a path led to another operation",
      "attack/row-15-advisories.test.ts",
      "FastMCP GHSA-vv7q-7jx5-f767",
    ],
  ],
  17: [
    [
      "CVE-2026-22785",
      "Orval: a document's text became code",
      "attack/row-17-documents.test.ts",
      "a js function tag",
    ],
    [
      "CVE-2026-23947",
      "Orval: names of a document became code",
      "authorization-server/no-code-generation.test.ts",
      "where no code is made of strings",
    ],
    [
      "fastmcp 7017106",
      "a reference read files of the machine",
      "attack/row-17-documents.test.ts",
      "a file outside by an absolute path",
    ],
  ],
  18: [
    [
      "ajv pattern",
      "^(a+)+$ and 28 characters took 11.8 s",
      "attack/row-18-patterns.test.ts",
      "ajv and typebox: the pattern ^(a+)+$ and 28 characters",
    ],
    [
      "ajv compile",
      "2,000 alternatives took 16.4 s to compile",
      "attack/row-18-patterns.test.ts",
      "ajv: 2,000 alternatives are compiled in 16.4 s there",
    ],
    [
      "CEL matches",
      "regular expressions of the language itself took 5.4 s",
      "attack/row-18-patterns.test.ts",
      "CEL by JavaScript's regular expressions",
    ],
    [
      "ts-sdk 0a75810",
      "a template of URIs backtracked",
      "attack/row-18-patterns.test.ts",
      "ts-sdk 0a75810, CVE-2026-0621",
    ],
    [
      "CVE-2026-0621",
      "the same, as an advisory",
      "attack/row-18-patterns.test.ts",
      "ts-sdk 0a75810, CVE-2026-0621",
    ],
  ],
  19: [
    [
      "undici maxResponseSize",
      "bounds the bytes before they are decompressed: 204 KB became 645 MB",
      "attack/row-19-upstream-abuse.test.ts",
      "a gzip bomb",
    ],
  ],
  20: [
    [
      "CVE-2026-30856",
      "WeKnora: a tool took the name of another server's",
      "attack/row-20-poisoning.test.ts",
      "an upstream can't take the name of a declared tool, and two upstreams can't take each other's",
    ],
    [
      "toolhive #6024",
      "_meta that is the protocol's own was passed on",
      "attack/row-20-poisoning.test.ts",
      "reserved _meta, icons that are no pictures, executions and unknown members of a tool are not passed on",
    ],
    [
      "toolhive #6083",
      "x-mcp-header of an upstream became any header",
      "attack/row-20-poisoning.test.ts",
      "an x-mcp-header of the name %s becomes a parameter header and no other",
    ],
    [
      "Invariant shadowing",
      "texts that people don't see told models what to do",
      "attack/row-20-poisoning.test.ts",
      "in an MCP tool's description, title and schema texts reach no client and no terminal",
    ],
  ],
  22: [
    [
      "CVE-2025-6514",
      "mcp-remote: a server's answer became a command",
      "attack/row-22-processes.test.ts",
      "no path into a running gateway starts a process",
    ],
    [
      "CVE-2025-49596",
      "Inspector: a page started processes at a proxy without sign-in",
      "attack/row-24-rebinding.test.ts",
      "a page of the Origin %j is refused on every route",
    ],
    [
      "CVE-2026-42271",
      "LiteLLM: a server that was added over the API ran a command",
      "attack/row-22-processes.test.ts",
      "no path into a running gateway starts a process",
    ],
    [
      "CVE-2026-30623",
      "the same, by an import of servers",
      "attack/row-22-processes.test.ts",
      "can't name a command",
    ],
    [
      "OX CVEs",
      "metacharacters of a shell in arguments of a local server",
      "attack/row-22-processes.test.ts",
      "shell metacharacters in the arguments of a command arrive as they are written, and nothing is run",
    ],
    [
      "CVE-2026-55887",
      "docker: a local server got the environment of the gateway",
      "attack/row-22-processes.test.ts",
      "a local server gets a few harmless variables and what the file gives it",
    ],
  ],
  23: [
    [
      "docker #467",
      "a name that is a pattern got the credentials of others",
      "attack/row-23-interpolation.test.ts",
      "docker #467: a name that is a pattern gets the credentials of others there",
    ],
    [
      "CVE-2026-32625",
      "LibreChat: variables in what users write were filled in",
      "attack/row-23-interpolation.test.ts",
      "LibreChat CVE-2026-32625, CVE-2026-31951",
    ],
    [
      "CVE-2026-31951",
      "LibreChat: the same in headers",
      "attack/row-23-interpolation.test.ts",
      "LibreChat CVE-2026-32625, CVE-2026-31951",
    ],
  ],
  24: [
    [
      "CVE-2025-66414",
      "TS SDK: pages reached local servers by a name that is rebound",
      "attack/row-24-rebinding.test.ts",
      "a page that reaches the gateway under the Host %j is refused on every route",
    ],
    [
      "CVE-2025-66416",
      "Python SDK: the same",
      "attack/row-24-rebinding.test.ts",
      "a page that reaches the gateway under the Host %j is refused on every route",
    ],
    [
      "CVE-2026-34742",
      "Go SDK: the same",
      "attack/row-24-rebinding.test.ts",
      "a page that reaches the gateway under the Host %j is refused on every route",
    ],
    [
      "CVE-2026-33252",
      "Go SDK: pages of any origin could call",
      "attack/row-24-rebinding.test.ts",
      "a page of the Origin %j is refused on every route",
    ],
    [
      "CVE-2026-35568",
      "Java SDK: pages of any origin could call",
      "attack/row-24-rebinding.test.ts",
      "a page of the Origin %j is refused on every route",
    ],
    [
      "CVE-2026-42559",
      "Rust SDK: the Host was not looked at",
      "attack/row-24-rebinding.test.ts",
      "a page that reaches the gateway under the Host %j is refused on every route",
    ],
    [
      "CVE-2025-64443",
      "docker: a page could call tools by a rebound name",
      "attack/row-24-rebinding.test.ts",
      "%s is refused on every route",
    ],
    [
      "CVE-2026-35577",
      "apollo: a simple request of a page was carried out",
      "attack/row-24-csrf.test.ts",
      "Origin and Sec-Fetch-Site",
    ],
    [
      "CVE-2025-9611",
      "playwright-mcp: the Origin was not looked at",
      "attack/row-24-rebinding.test.ts",
      "a page of the Origin %j is refused on every route",
    ],
  ],
  26: [
    [
      "Caddy #7913",
      "clients that send a byte from time to time kept their connections",
      "attack/row-26-slow-clients.test.ts",
      "clients that send a byte in a second of a head or a body are cut off",
    ],
  ],
  28: [
    [
      "obot#7929",
      "sessions with upstreams were never ended",
      "attack/row-28-leaks.test.ts",
      "upstream sessions end with the client sessions that they belong to",
    ],
    [
      "mcp-use#1623",
      "local servers outlived their sessions",
      "attack/row-28-leaks.test.ts",
      "local servers end with the client sessions that they belong to",
    ],
    [
      "postiz#1696",
      "streams that nobody reads stayed in memory",
      "attack/row-28-leaks.test.ts",
      "that are left behind: a second wave takes no more memory and no more handles than the first",
    ],
    [
      "fastmcp #3968",
      "a map of locks grew without an end",
      "attack/row-28-leaks.test.ts",
      "that are left behind: a second wave takes no more memory and no more handles than the first",
    ],
    [
      "ContextForge#1549",
      "every check of an upstream opened a session",
      "attack/row-28-leaks.test.ts",
      "when the gateway ends, no session and no local server is left",
    ],
  ],
  31: [
    [
      "Gestalt rotation",
      "keys could not be changed",
      "attack/row-31-vault.test.ts",
      "10,000 records are rotated by processes that are killed",
    ],
    [
      "SEC-044",
      "what was sealed did not name its key",
      "attack/row-31-vault.test.ts",
      "processes with rings in different order, while a third one rotates",
    ],
  ],
  36: [
    [
      "Shai-Hulud",
      "packages ran code while they were installed",
      "attack/row-36-supply-chain.test.ts",
      "runs nothing while it is installed, here or at work on it",
    ],
    [
      "axios",
      "a version that was taken over was installed because it was the newest",
      "attack/row-36-supply-chain.test.ts",
      "%s are named exactly",
    ],
    [
      "TanStack",
      "the same, by a package of a package",
      "attack/row-36-supply-chain.test.ts",
      "and the lock file holds all of them, with what their bytes come to, from one registry",
    ],
    [
      "litellm 2026-03",
      "a package brought code that its repository did not have",
      "attack/row-36-supply-chain.test.ts",
      "and the lock file holds all of them, with what their bytes come to, from one registry",
    ],
  ],
};

/** All of them, by row. */
export const advisories: readonly Advisory[] = Object.entries(byRow).flatMap(([row, entries]) =>
  entries.map(([id, what, file, test]) => ({ row: Number(row), id, what, file, test })),
);
