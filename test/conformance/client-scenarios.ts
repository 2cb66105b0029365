import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { DownstreamClient } from "./downstream-client.ts";

/** What a scenario wants of the client that it tests. */
type Wish = (client: DownstreamClient, context: JsonObject) => Promise<void>;

const callOf =
  (name: string, callArguments: JsonObject = {}): Wish =>
  async (client) => {
    await client.listTools();
    await client.callTool(name, callArguments);
  };

const inTurn =
  (...wishes: readonly Wish[]): Wish =>
  async (client, context) => {
    for (const wish of wishes) await wish(client, context);
  };

const lists: Wish = async (client) => {
  await client.listTools();
};

/** What a tool without any other wish gets for what it requires. */
const callsAllListed: Wish = async (client) => {
  for (const { name, inputSchema } of await client.listTools()) {
    const required = asObject(inputSchema)?.["required"];
    const names = Array.isArray(required) ? required.map(String) : [];
    await client.callTool(String(name), Object.fromEntries(names.map((member) => [member, "any"])));
  }
};

const callsAsTold: Wish = async (client, { toolCalls }) => {
  await client.listTools();
  for (const call of Array.isArray(toolCalls) ? toolCalls : []) {
    const { name, arguments: given } = asObject(call) ?? {};
    await client.callTool(String(name), asObject(given) ?? {});
  }
};

const echoesSchema: Wish = async (client) => {
  const tools = await client.listTools();
  const schema: JsonValue =
    tools.find(({ name }) => name === "json_schema_2020_12_tool")?.["inputSchema"] ?? {};
  await client.callTool("json_schema_echo", { schema });
};

/**
 * What a client behind the gateway does in each scenario of the client suites that is not about authorization, by its name. All of
 * them are seen through a gateway.
 */
export const wishes: Readonly<Record<string, Wish>> = {
  initialize: lists,
  "request-metadata": lists,
  "json-schema-ref-no-deref": lists,
  tools_call: callOf("add_numbers", { a: 5, b: 3 }),
  "elicitation-sep1034-client-defaults": callOf("test_client_elicitation_defaults"),
  "sse-retry": callOf("test_reconnection"),
  "sep-2322-client-request-state": inTurn(
    callOf("test_mrtr_echo_state"),
    callOf("test_mrtr_unrelated"),
    callOf("test_mrtr_no_state"),
    callOf("test_mrtr_no_result_type"),
  ),
  "http-standard-headers": inTurn(
    callsAllListed,
    (client) => client.readResources(),
    (client) => client.getPrompts(),
  ),
  "http-custom-headers": callsAsTold,
  "http-invalid-tool-headers": callsAllListed,
  "json-schema-2020-12-preservation": echoesSchema,
};
