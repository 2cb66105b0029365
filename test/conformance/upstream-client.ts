// The client that the official client suites start, with the URL of an MCP server as its last argument: a gateway with that server as
// an upstream, and behind it somebody who does what the scenario wants. In scenarios about authorization that is a person who connects
// whenever the gateway says so, and a caller of the one tool; in all others a client of the official SDK.
//
// The suites name the scenario in `MCP_CONFORMANCE_SCENARIO` and the version of the protocol in `MCP_CONFORMANCE_PROTOCOL_VERSION`;
// `MCP_CONFORMANCE_CONTEXT` may hold a client that is registered beforehand, or calls to make. Ends with 0 once all is done.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { type RunningGateway, startGateway } from "../e2e/start-gateway.ts";
import { usesTool } from "./authorize.ts";
import { wishes } from "./client-scenarios.ts";
import { connectDownstream } from "./downstream-client.ts";

/** The suites expect this one of clients that have a metadata document. */
const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";

const server = process.argv.at(-1) ?? "";
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const version = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] ?? "2025-11-25";
const context = asObject(JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}")) ?? {};
const isAuthorization = scenario.startsWith("auth/");

const folder = await mkdtemp(join(tmpdir(), "gateway-conformance-"));
try {
  const file = join(folder, "gestalt.yaml");
  await writeFile(file, JSON.stringify(configuration()));
  const gateway = await startGateway({
    config: file,
    environment: {
      GATEWAY_KEY: randomBytes(32).toString("base64"),
      CLIENT_SECRET: String(context["client_secret"]),
    },
  });
  try {
    const isDone = isAuthorization ? await usesTool(gateway, tell) : await doesAsWished(gateway);
    process.exitCode = isDone ? 0 : 1;
  } finally {
    await gateway.stop();
    tell(gateway.told());
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function doesAsWished({ url }: RunningGateway): Promise<boolean> {
  const wish = wishes[scenario];
  if (wish === undefined) {
    tell(`Nobody has said what a client does in ${scenario}.`);
    return false;
  }
  const client = await connectDownstream(`${url}/mcp`, version);
  try {
    await wish(client, context);
    return true;
  } catch (error) {
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return false;
  } finally {
    await client.close();
  }
}

function configuration(): JsonObject {
  const { client_id: clientId, client_secret: clientSecret } = context;
  return {
    server: { port: 0, encryption_key: "${GATEWAY_KEY}" },
    egress: { allowed_hosts: [new URL(server).hostname] },
    providers: {
      upstream: {
        mcp: { tool_prefix: "" },
        surfaces: { mcp: { url: server, ...(isAuthorization && { connection: "account" }) } },
        ...(isAuthorization && {
          connections: {
            account: {
              mode: "user",
              auth: {
                type: "mcp_oauth",
                client_metadata_url: clientMetadataUrl,
                ...(clientId !== undefined && { client_id: clientId }),
                ...(clientSecret !== undefined && { client_secret: "${CLIENT_SECRET}" }),
              },
            },
          },
        }),
      },
    },
  };
}

/** The suites keep it beside their results. */
function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
