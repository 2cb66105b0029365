import type { Diagnostic } from "../../../src/diagnostics/diagnostic.ts";
import { createDocumentLoader } from "../../../src/documents/load-document.ts";
import type { Operation, Tool } from "../../../src/model/catalog.ts";
import type { GraphqlSurface, ProviderConfig } from "../../../src/model/config.ts";
import type { Credential } from "../../../src/model/credential.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { Place } from "../../../src/model/place.ts";
import type { HttpResult } from "../../../src/model/result.ts";
import { graphqlKind } from "../../../src/providers/graphql/kind.ts";
import type { OpenSurface, ProviderContext } from "../../../src/providers/provider-kind.ts";
import type { HttpClient } from "../../../src/upstream/http-client.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { usualLimits, usualProviderLimits } from "../../limits.ts";
import { principalOf } from "../../principals.ts";

export const surfacePlace: Place = { file: "gestalt.yaml", line: 3, column: 5, endLine: 3, endColumn: 12 };

export const noCredential: Credential = { reference: undefined, headers: {}, query: {} };

export function surfaceOf(
  url: string,
  schemaPath?: string,
  settings: Partial<GraphqlSurface> = {},
): GraphqlSurface {
  return {
    kind: "graphql",
    url,
    schema: schemaPath === undefined ? undefined : { kind: "file", path: schemaPath, place: surfacePlace },
    schemaConnection: undefined,
    documentLimits: usualLimits.documents,
    refresh: undefined,
    queries: "all",
    mutations: "all",
    selection: { depth: 2, fields: 200, bytes: 4096 },
    selectArgument: false,
    fields: {},
    scalars: {},
    operations: [],
    connection: undefined,
    place: surfacePlace,
    ...settings,
  };
}

export function providerOf(surface: GraphqlSurface, headers: ProviderConfig["headers"] = {}): ProviderConfig {
  return {
    name: "shop",
    displayName: "Shop",
    description: undefined,
    headers,
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: "shop_" },
    tenants: undefined,
    surfaces: [surface],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place: surfacePlace,
  };
}

/** A surface that was opened by the kind, over a real HTTP client. */
export interface OpenedSurface {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
  readonly origin: "declared" | "upstream";
  readonly watch?: OpenSurface["watch"];
  readonly call: (operation: string, args: JsonObject, credential?: Credential) => Promise<HttpResult>;
}

/** What a surface may use, without a credential. */
export function contextOf(http: HttpClient, workingDirectory = import.meta.dirname): ProviderContext {
  return {
    http,
    documents: createDocumentLoader({ http, remote: "fetch", workingDirectory }),
    compile: () => Promise.reject(new Error("Nothing but OpenAPI documents is compiled elsewhere.")),
    allowedHosts: [],
    credential: () => noCredential,
    signal: new AbortController().signal,
    environment: {},
    log: () => {},
  };
}

/** Opens a surface, hands it to `use`, and closes every handle again. */
export async function withSurface<T>(
  surface: GraphqlSurface,
  options: {
    readonly credential?: Credential;
    readonly headers?: ProviderConfig["headers"];
    readonly workingDirectory?: string;
  },
  use: (opened: OpenedSurface) => Promise<T>,
): Promise<T> {
  const http = createHttpClient();
  const context: ProviderContext = {
    ...contextOf(http, options.workingDirectory),
    credential: () => options.credential ?? noCredential,
  };
  let opened: OpenSurface | undefined;
  try {
    opened = await graphqlKind.open(surface, providerOf(surface, options.headers), context);
    const { operations, executor } = opened;
    const call: OpenedSurface["call"] = async (operation, args, credential = noCredential) => {
      const found = operations.find(({ id }) => id === operation);
      if (found === undefined) throw new Error(`There is no operation ${operation}.`);
      const result = await executor.execute(invocationOf(args), toolOf(found), credential);
      if (result.kind !== "http") throw new Error("The result is not an HTTP result.");
      return result;
    };
    return await use({ ...opened, call });
  } finally {
    await opened?.close();
    await http.close();
  }
}

/** The body of a result as text. */
export function textOf(result: HttpResult): string {
  return new TextDecoder().decode(result.body);
}

function toolOf(operation: Operation): Tool {
  return {
    ...operation,
    name: `shop_${operation.id}`,
    operation: operation.id,
    provider: "shop",
    surface: "graphql",
    responseMapping: undefined,
    origin: "declared",
    effects: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  };
}

function invocationOf(args: JsonObject): Invocation {
  return {
    id: "00000000-0000-4000-8000-000000000000",
    via: "cli",
    tenant: "default",
    principal: principalOf("anonymous"),
    provider: "shop",
    tool: "shop_tool",
    arguments: args,
    connection: undefined,
    credential: undefined,
    catalogVersion: "test",
    peer: { capabilities: {}, ask: () => Promise.reject(new Error("Nobody is there.")), notify: () => {} },
    signal: new AbortController().signal,
  };
}
