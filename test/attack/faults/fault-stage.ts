import { setTimeout as pause } from "node:timers/promises";
import { asObject } from "../../../src/json-object.ts";
import { gatewayMetaKeys } from "../../../src/server/mcp/gateway-meta.ts";
import { makeSigningKey, signParts } from "../jwt-stage.ts";
import { callModern } from "../system.ts";
import type { Fault, Outcome } from "./fault.ts";
import { type FaultServer, startFaultServer } from "./fault-server.ts";
import { type GatewayProcess, startGatewayProcess } from "./start-gateway.ts";
import type { Kind } from "./wire.ts";

/** A gateway with upstreams of one kind that misbehave on demand, and one that never does. */
export interface FaultStage extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  /** Makes one call that meets the fault, unless all is well. */
  call(fault: Fault, isWell?: boolean): Promise<Outcome>;
  /** Calls the provider that never misbehaves. */
  callOther(): Promise<Outcome>;
  /** Puts the port of such a fault into its state, or well again. */
  disturb(fault: Fault, isWell: boolean): Promise<void>;
  /** Token endpoints and key sets answer well from now on. */
  heal(): void;
}

/** No answer, log or message may ever hold it. */
export const secret = "s3cr3t-of-the-client";
const audience = "https://gateway.example/mcp";
const algorithms = ["ES256"];

/** The times are short, so that what hangs is seen to end. */
const limits = {
  connect_time: "3s",
  tls_time: "3s",
  first_byte_time: "8s",
  pause: "8s",
  call_time: "10s",
  longest_call_time: "12s",
  // Every fault is to be met, not only the first ones.
  breaker: { failures: 0 },
};

/** Starts it for these faults, with whatever stands in the way of calls to an upstream of this kind. */
export async function startFaultStage(kind: Kind, faults: readonly Fault[]): Promise<FaultStage> {
  const key = makeSigningKey("k", "ES256");
  const good = { keys: JSON.parse(JSON.stringify([key.jwk])) };
  const shared = await startFaultServer(faults, good);
  const own = new Map<string, FaultServer>();
  for (const { name, connection, tls = false } of faults)
    if (connection !== undefined) own.set(name, await startFaultServer([], good, { tls }));
  const urlOf = ({ name }: Fault): string => (own.get(name) ?? shared).url;
  const indexOf = ({ name }: Fault): number => faults.findIndex((one) => one.name === name);
  const pathOf = ({ name }: Fault): string => (own.has(name) ? "" : encodeURIComponent(name));
  const issuerOf = (fault: Fault): string => `${urlOf(fault)}/issuer/${indexOf(fault)}`;
  /** Those that lie on a port of their own, or whose failure is remembered, have a provider each. */
  const nameOf = (fault: Fault): string =>
    own.has(fault.name) || kind === "token endpoint" ? `p${indexOf(fault)}` : "shared";

  const providers: Record<string, object> = { other: restProvider(`${shared.url}/rest`) };
  for (const fault of kind === "JWKS" ? [] : faults) {
    providers[nameOf(fault)] =
      kind === "token endpoint"
        ? tokenProvider(`${shared.url}/behind`, `${urlOf(fault)}/token/${pathOf(fault)}`)
        : providerOf(kind, urlOf(fault));
  }
  const trusted = (kind === "JWKS" ? faults : []).map((fault) => ({
    ...{ issuer: issuerOf(fault), audience, algorithms },
    jwks_url: `${urlOf(fault)}/keys/${pathOf(fault)}`,
  }));
  const gateway = await startGatewayProcess(
    providers,
    {
      auth: { provider: "local", ...(trusted.length > 0 && { trusted_issuers: trusted }) },
      // The machine may be busy; how late the thread is decides about nothing here.
      limits: { overload: { delay: "60s" } },
    },
    { "schema.graphql": "type Query { go(fault: String): String }" },
    { CLIENT_SECRET: secret },
  );

  const callTool = async (name: string, given: Readonly<Record<string, string>>): Promise<Outcome> => {
    const answer = await callModern(gateway.url, name, given, 1, gateway.headers);
    const result = asObject(answer.message["result"]);
    const error = asObject(asObject(result?.["_meta"])?.[gatewayMetaKeys.error]);
    const rpc = asObject(answer.message["error"]);
    const code = rpc === undefined ? (error?.["code"] ?? "") : `${rpc["code"]}`;
    return {
      code: String(code),
      isError: rpc !== undefined || result?.["isError"] === true,
      text: answer.text,
    };
  };
  const callWithToken = async (fault: Fault): Promise<Outcome> => {
    const before = (await gateway.log()).length;
    const now = Math.floor(Date.now() / 1_000);
    const token = signParts(
      key,
      { alg: "ES256", typ: "at+jwt", kid: "k" },
      { iss: issuerOf(fault), sub: "ada", aud: audience, iat: now, exp: now + 600, client_id: "ci" },
    );
    const response = await fetch(`${gateway.url}/api/v1/integrations`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const text = await response.text();
    const code = response.headers.get("gateway-error") ?? "";
    const isError = response.status !== 200;
    // Why is for the operator; who presents a token hears no more than that it can't be verified now, and maybe earlier.
    let told: readonly string[] = [];
    for (let waits = 0; isError && told.length === 0 && waits < 50; waits++) {
      if (waits > 0) await pause(100);
      const since = (await gateway.log()).slice(before);
      told = since.filter((line) => line.includes(`issuer ${issuerOf(fault)} `)).map(withoutCause);
    }
    return { code, isError, text: [text, ...told].join("\n") };
  };
  const call = (fault: Fault, isWell = false): Promise<Outcome> => {
    if (kind === "JWKS") return callWithToken(fault);
    const isTold = !isWell && kind !== "token endpoint" && !own.has(fault.name);
    return callTool(`${nameOf(fault)}_go`, isTold ? { fault: fault.name } : {});
  };
  // Servers of MCP are opened before anything goes wrong with them.
  for (const fault of kind.startsWith("MCP") ? faults : []) {
    if (own.has(fault.name)) while ((await call(fault, true)).isError) await pause(50);
  }
  return {
    gateway,
    call,
    callOther: () => callTool("other_go", {}),
    disturb: async ({ name, connection }, isWell) => {
      await own.get(name)?.disturb(isWell ? undefined : connection);
    },
    heal: () => shared.heal(),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      for (const server of [shared, ...own.values()]) await server[Symbol.asyncDispose]();
    },
  };
}

function providerOf(kind: Kind, url: string): object {
  if (kind === "REST") return restProvider(`${url}/rest`);
  if (kind === "GraphQL")
    return { limits, surfaces: { graphql: { url: `${url}/graphql`, schema: "./schema.graphql" } } };
  return { limits, surfaces: { mcp: { url: `${url}/${kind === "MCP SSE" ? "mcp-sse" : "mcp-json"}` } } };
}

function restProvider(url: string): object {
  const parameters = [{ name: "fault", in: "body" }];
  const operations = [{ name: "go", description: "Goes.", method: "POST", path: "/", parameters }];
  return { limits, surfaces: { rest: { base_url: url, operations } } };
}

function tokenProvider(url: string, tokenUrl: string): object {
  const operations = [{ name: "go", description: "Goes.", method: "GET", path: "/" }];
  const auth = {
    type: "oauth2",
    grant: "client_credentials",
    token_url: tokenUrl,
    client_id: "gateway",
    client_secret: "${env:CLIENT_SECRET}",
  };
  return {
    limits,
    surfaces: { rest: { base_url: url, operations } },
    connections: { default: { mode: "identity", auth } },
  };
}

/** A line of the log as the operator has it who does not ask for causes. */
function withoutCause(line: string): string {
  return line.split(/ \w*Error: /, 1)[0] ?? "";
}
