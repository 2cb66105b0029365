import type { ProviderConfig } from "../../model/config.ts";

/** What a provider sends itself: headers and managed parameters. */
export type OwnParameters = Pick<ProviderConfig, "headers" | "managedParameters">;

/**
 * Where an operation's parameter gets its value. `caller`: it is an argument. `provider`: it stays part of the operation's
 * binding, without an argument. `every-request`: requests get it last, whatever the operation, so that bindings leave it out.
 */
export type ParameterSource = "caller" | "provider" | "every-request";

/** Tells the source of a parameter by its place and its name on the wire. */
export type FindSource = (parameter: { readonly in: string; readonly name: string }) => ParameterSource;

/** Makes what tells the sources of a provider's parameters. */
export function createSourceFinder({ headers, managedParameters }: OwnParameters): FindSource {
  const ownHeaders = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return ({ in: location, name }) => {
    if (location === "header") return ownHeaders.has(name.toLowerCase()) ? "every-request" : "caller";
    const isManaged = managedParameters.some((managed) => managed.in === location && managed.name === name);
    if (!isManaged) return "caller";
    return location === "query" ? "every-request" : "provider";
  };
}
