import {
  connectedFromJson,
  connectedOrPendingFromJson,
  connectionStatusesFromJson,
  disconnectedFromJson,
  startedFromJson,
} from "../../connections-json.ts";
import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { Connections, ConnectionTarget } from "../../model/connections.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { Ask } from "./http.ts";

/** Connections at a gateway that runs elsewhere, over its HTTP API. */
export function createRemoteConnections(ask: Ask): Connections {
  const read = async (...request: Parameters<Ask>): Promise<JsonValue> => {
    const { body } = await ask(...request);
    if (body === undefined) throw new GatewayError("internal", "The server's answer is empty.");
    return body;
  };
  return {
    list: async (provider) => {
      if (provider !== undefined)
        return connectionStatusesFromJson(await read("GET", ["integrations", provider]));
      const integrations = asObject(await read("GET", ["integrations"]))?.["integrations"];
      if (Array.isArray(integrations)) return integrations.flatMap(connectionStatusesFromJson);
      throw new GatewayError("internal", "The server's answer has no list `integrations`.");
    },
    startOAuth: async ({ params, returnTo, ...target }) =>
      startedFromJson(
        await read("POST", ["auth", "start-oauth"], {
          ...targetToJson(target),
          ...(params !== undefined && { params }),
          ...(returnTo !== undefined && { return_to: returnTo }),
        }),
      ),
    connectManual: async ({ fields, params, ...target }) =>
      connectedOrPendingFromJson(
        await read("POST", ["auth", "connect-manual"], {
          ...targetToJson(target),
          fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.reveal()])),
          ...(params !== undefined && { params }),
        }),
      ),
    select: async (pending, choice) =>
      connectedFromJson(await read("POST", ["auth", "pending-connection"], { pending, choice })),
    disconnect: async ({ provider, connection, instance, shared }) =>
      disconnectedFromJson(
        await read("DELETE", ["integrations", provider], undefined, {
          ...(connection !== undefined && { _connection: connection }),
          ...(instance !== undefined && { _instance: instance }),
          ...(shared !== undefined && { shared: String(shared) }),
        }),
      ),
  };
}

function targetToJson({ provider, connection, instance, shared }: ConnectionTarget): JsonObject {
  return {
    provider,
    ...(connection !== undefined && { connection }),
    ...(instance !== undefined && { instance }),
    ...(shared !== undefined && { shared }),
  };
}
