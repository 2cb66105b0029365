import type { CatalogView } from "../../catalog/view.ts";
import { connectionStatusToJson, disconnectedToJson } from "../../connections-json.ts";
import { GatewayError } from "../../errors.ts";
import type { ConnectionStatus, ConnectionTarget } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import type { Caller } from "../authenticate-request.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { allow, type Exchange, sendJson } from "../exchange.ts";
import { noSuchRoute } from "../identity/context.ts";
import { readMembers } from "../identity/members.ts";
import { choicesOf, withInstances } from "../instance-argument.ts";

/** What the routes of integrations stand on. */
export interface IntegrationParts extends Pick<ConnectionParts, "connections" | "instances"> {
  /** What a principal may see and call through the HTTP API. */
  readonly view: (principal: Principal) => CatalogView;
}

/** Serves `integrations`, `integrations/{name}` and `integrations/{name}/operations`; `segments` is what follows `integrations`. */
export async function handleIntegrations(
  parts: IntegrationParts,
  exchange: Exchange,
  caller: Caller,
  segments: readonly string[],
): Promise<void> {
  const [name, what, ...more] = segments;
  if (more.length > 0 || (what !== undefined && what !== "operations")) throw noSuchRoute();
  const { principal } = caller;
  if (name === undefined) {
    allow(exchange, ["GET"]);
    const view = parts.view(principal);
    const statuses = await parts.connections(principal).list();
    return sendJson(exchange, 200, {
      integrations: listIntegrations(view, statuses),
      message: view.notice,
    });
  }
  if (what === "operations") {
    allow(exchange, ["GET"]);
    const operations = listOperations(parts.view(principal), name, parts.instances(principal));
    return sendJson(exchange, 200, { operations });
  }
  allow(exchange, ["GET", "DELETE"]);
  if (exchange.request.method === "DELETE") return disconnect(parts, exchange, caller, name);
  const view = parts.view(principal);
  if (!view.providers.some((provider) => provider.name === name)) throw unknownIntegration(name);
  const statuses = await parts.connections(principal).list(name);
  const [integration] = listIntegrations(view, statuses, name);
  return sendJson(exchange, 200, integration);
}

async function disconnect(
  parts: IntegrationParts,
  exchange: Exchange,
  caller: Caller,
  provider: string,
): Promise<void> {
  const target = { provider, ...(await readTarget(exchange, caller.query)) };
  const disconnected = await parts.connections(await caller.confirm()).disconnect(target);
  return sendJson(exchange, 200, disconnectedToJson(disconnected));
}

/** `_connection`, `_instance` and `shared`, of the query or of a JSON body. */
async function readTarget(exchange: Exchange, query: string): Promise<Omit<ConnectionTarget, "provider">> {
  const known = ["_connection", "_instance", "shared"];
  const members = await readMembers(exchange, known);
  const body = {
    connection: members.text("_connection"),
    instance: members.text("_instance"),
    shared: members.truth("shared"),
  };
  if (query === "") return body;
  const isInBody = Object.values(body).some((value) => value !== undefined);
  const given = new URLSearchParams(query);
  const isStrange = [...given.keys()].some((name) => !known.includes(name) || given.getAll(name).length > 1);
  const shared = given.get("shared");
  if (isInBody || isStrange || (shared !== null && shared !== "true" && shared !== "false")) {
    throw new GatewayError(
      "bad_request",
      "This route takes `_connection`, `_instance` and `shared` (true or false), each once, from the query or from a JSON body.",
    );
  }
  return {
    connection: given.get("_connection") ?? undefined,
    instance: given.get("_instance") ?? undefined,
    shared: shared === null ? undefined : shared === "true",
  };
}

/** What the caller may know of each provider: tools that it may not see are not counted either. */
function listIntegrations(
  { providers, tools }: CatalogView,
  statuses: readonly ConnectionStatus[],
  only?: string,
): readonly object[] {
  const counts = new Map<string, number>();
  const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { provider, surface } of tools) {
    count(provider);
    count(`${provider}/${surface}`);
  }
  const connections = Map.groupBy(statuses, ({ provider }) => provider);
  return providers
    .filter(({ name }) => only === undefined || name === only)
    .map((provider) => ({
      name: provider.name,
      display_name: provider.displayName,
      description: provider.description,
      state: provider.state,
      reason: provider.reason,
      mcp_enabled: provider.mcpEnabled,
      surfaces: provider.surfaces.map((surface) => ({
        ...surface,
        tools: counts.get(`${provider.name}/${surface.kind}`) ?? 0,
      })),
      connections: (connections.get(provider.name) ?? []).map(connectionStatusToJson),
      tools: counts.get(provider.name) ?? 0,
    }));
}

function listOperations(
  view: CatalogView,
  name: string,
  instances: ReadonlyMap<string, readonly string[]>,
): readonly object[] {
  if (!view.providers.some((provider) => provider.name === name)) throw unknownIntegration(name);
  return view.tools
    .filter((tool) => tool.provider === name && tool.surface !== "mcp")
    .map((tool) => ({
      name: tool.operation,
      tool: tool.name,
      id: tool.id,
      surface: tool.surface,
      title: tool.title,
      description: tool.description,
      methods: tool.annotations.readOnlyHint ? ["GET", "POST"] : ["POST"],
      connection: tool.connection,
      deprecated: tool.deprecated,
      annotations: tool.annotations,
      input_schema: withInstances(tool.inputSchema, choicesOf(tool, instances)),
      output_schema: tool.outputSchema,
    }));
}

/** One answer for what is hidden and what was never there. */
function unknownIntegration(name: string): GatewayError {
  return new GatewayError(
    "not_found",
    `Unknown integration \`${name.slice(0, 100)}\`. GET /api/v1/integrations lists them.`,
  );
}
