import type { Tool } from "../model/catalog.ts";
import type { ConnectionConfig, ProviderConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import { declaredCredential } from "./resolve-credential.ts";

/** One step on the way from a tool to its credential. */
export interface ConnectionStep {
  readonly what: "connection" | "mode" | "credential";
  /** For people: one sentence. */
  readonly detail: string;
}

/** How the credential of a call is found, in words; the same rules as for the call itself. */
export function explainConnection(
  provider: ProviderConfig,
  tool: Tool,
  principal: Principal,
): readonly ConnectionStep[] {
  if (tool.connection === undefined)
    return [{ what: "connection", detail: "No connection: the operation is called without a credential." }];
  const connection = provider.connections[tool.connection];
  if (connection === undefined)
    return [{ what: "connection", detail: `\`${tool.connection}\` is not declared by the provider.` }];
  return [
    {
      what: "connection",
      detail: `\`${connection.name}\` of ${provider.name} (${describeChoice(provider, tool)}).`,
    },
    { what: "mode", detail: describeMode(connection, principal) },
    { what: "credential", detail: describeCredential(provider, connection) },
  ];
}

function describeChoice(provider: ProviderConfig, tool: Tool): string {
  const surface = provider.surfaces.find(({ kind }) => kind === tool.surface);
  if (surface?.connection !== tool.connection) return "named by the operation";
  const count = Object.keys(provider.connections).length;
  return count === 1 ? "the only one that is declared" : "that of its surface";
}

function describeMode({ mode }: ConnectionConfig, principal: Principal): string {
  switch (mode) {
    case "none":
      return "`none`: nothing is sent, whoever calls.";
    case "identity":
      return "`identity`: the gateway's own credential, the same for every caller.";
    case "tenant":
      return `\`tenant\`: the credential that tenant \`${principal.tenant}\` shares.`;
    case "user":
      return `\`user\`: the credential of ${principal.kind} \`${principal.name}\` and of nobody else.`;
    case "either":
      return `\`either\`: the credential of ${principal.kind} \`${principal.name}\`, else the one that tenant \`${principal.tenant}\` shares.`;
  }
}

function describeCredential(provider: ProviderConfig, connection: ConnectionConfig): string {
  if (connection.mode === "none") return "None is needed.";
  return declaredCredential(provider, connection) === undefined
    ? "There is none: a call would be refused with `not_connected`."
    : "The one that the configuration file holds.";
}
