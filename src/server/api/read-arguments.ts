import { argumentsFromTexts } from "../../catalog/text-arguments.ts";
import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { type Exchange, readJsonObject } from "../exchange.ts";

/** Arguments of a call as they came over the HTTP API. */
export interface CallArguments {
  readonly arguments: JsonObject;
  readonly connection: string | undefined;
  readonly instance: string | undefined;
}

/**
 * Reads the JSON body of a POST: an object whose members are the arguments. An empty body is `{}`.
 *
 * @param query what of the query was not meant for the gateway.
 */
export async function readBodyArguments(exchange: Exchange, query: string): Promise<CallArguments> {
  if (query !== "") {
    throw new GatewayError(
      "bad_request",
      "The arguments of a POST go into its JSON body, not into the query.",
    );
  }
  return splitReserved(await readJsonObject(exchange));
}

/** Reads the query of a GET; texts become what the input schema asks for. */
export function readQueryArguments(query: string, inputSchema: JsonSchema): CallArguments {
  try {
    return splitReserved(argumentsFromTexts(new URLSearchParams(query), inputSchema));
  } catch (error) {
    if (error instanceof RangeError) throw new GatewayError("bad_request", error.message);
    throw error;
  }
}

function splitReserved(given: JsonObject): CallArguments {
  const { _connection: connection, _instance: instance, ...rest } = given;
  return {
    arguments: rest,
    connection: readName("_connection", connection),
    instance: readName("_instance", instance),
  };
}

function readName(key: string, value: JsonValue | undefined): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new GatewayError("bad_request", `\`${key}\` must be a string.`);
}
