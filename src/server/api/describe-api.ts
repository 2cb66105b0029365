import type { JsonObject, JsonSchema } from "../../model/json.ts";
import { sessionCookie } from "../session-cookie.ts";
import { connectionPaths, connectionSchemas, disconnectOperation } from "./describe-connections.ts";
import { identityPaths, identitySchemas } from "./describe-identity.ts";
import { errorStatus } from "./error-response.ts";
import { json, list, reference, text } from "./openapi-parts.ts";

const optionalText: JsonSchema = { type: "string", description: "Absent where there is nothing to say." };
const state: JsonSchema = { type: "string", enum: ["starting", "ready", "stale", "unavailable", "disabled"] };

const surface: JsonSchema = {
  type: "object",
  required: ["kind", "state", "tools"],
  properties: {
    kind: { type: "string", enum: ["openapi", "graphql", "rest", "mcp"] },
    state,
    reason: optionalText,
    tools: { type: "integer", minimum: 0 },
  },
};

const integration: JsonSchema = {
  type: "object",
  required: ["name", "display_name", "state", "mcp_enabled", "surfaces", "connections", "tools"],
  properties: {
    name: text,
    display_name: text,
    description: optionalText,
    state,
    reason: { ...optionalText, description: "Why the state is what it is." },
    mcp_enabled: { type: "boolean" },
    surfaces: { type: "array", items: surface },
    connections: { type: "array", items: reference("schemas", "Connection") },
    tools: { type: "integer", minimum: 0, description: "Number of tools that it contributes." },
  },
};

const operation: JsonSchema = {
  type: "object",
  required: [
    "name",
    "tool",
    "id",
    "surface",
    "description",
    "methods",
    "deprecated",
    "annotations",
    "input_schema",
  ],
  properties: {
    name: { ...text, description: "Last segment of the operation's route." },
    tool: { ...text, description: "Name of the same operation at /mcp." },
    id: { ...text, description: "The upstream's own id." },
    surface: { type: "string", enum: ["openapi", "graphql", "rest"] },
    title: optionalText,
    description: text,
    methods: { type: "array", items: { type: "string", enum: ["GET", "POST"] } },
    connection: { ...optionalText, description: "Connection whose credential a call uses." },
    deprecated: { type: "boolean" },
    annotations: { type: "object" },
    input_schema: { type: "object", description: "JSON Schema of the arguments." },
    output_schema: { type: "object", description: "JSON Schema of the answer, where it is known." },
  },
};

const error: JsonSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message"],
      properties: {
        code: { type: "string", enum: Object.keys(errorStatus) },
        message: { ...text, description: "What happened and what to do." },
      },
      additionalProperties: true,
    },
  },
};

const health: JsonSchema = {
  type: "object",
  required: ["status"],
  properties: {
    status: { type: "string", enum: ["alive", "ready", "degraded", "starting", "unavailable", "draining"] },
    providers: {
      type: "array",
      items: {
        type: "object",
        required: ["name", "state", "surfaces"],
        properties: { name: text, state, reason: optionalText, surfaces: { type: "array", items: surface } },
      },
    },
  },
};

/** The OpenAPI 3.1 document of the HTTP API, as served at `/openapi.json`. */
export function describeApi(version: string): JsonObject {
  return {
    openapi: "3.1.0",
    info: {
      title: "Gestalt Gateway",
      version,
      description:
        "Lists what the gateway offers and calls it. Every operation here is also a tool at `/mcp`, through the same checks. Where the gateway has no sign-in (`auth.provider: none`) no request needs a credential, and there are no users and tokens.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ token: [] }, { session: [] }],
    paths: {
      ...identityPaths,
      ...connectionPaths,
      "/api/v1/integrations": {
        get: {
          operationId: "listIntegrations",
          summary: "The providers and how each is doing",
          parameters: [reference("parameters", "tenant")],
          responses: {
            "200": json("The providers that the caller may know of.", {
              ...list("integrations", "Integration"),
              properties: {
                integrations: { type: "array", items: reference("schemas", "Integration") },
                message: {
                  ...optionalText,
                  description: "Why the caller gets no tools, and what to do about it.",
                },
              },
            }),
            default: reference("responses", "Error"),
          },
        },
      },
      "/api/v1/integrations/{integration}": {
        parameters: [reference("parameters", "integration"), reference("parameters", "tenant")],
        get: {
          operationId: "getIntegration",
          summary: "One provider, how it is doing, and its connections",
          responses: {
            "200": json("The provider.", reference("schemas", "Integration")),
            default: reference("responses", "Error"),
          },
        },
        delete: disconnectOperation,
      },
      "/api/v1/integrations/{integration}/operations": {
        get: {
          operationId: "listOperations",
          summary: "The operations of one provider",
          parameters: [reference("parameters", "integration"), reference("parameters", "tenant")],
          responses: {
            "200": json("The operations.", list("operations", "Operation")),
            default: reference("responses", "Error"),
          },
        },
      },
      "/api/v1/{integration}/{operation}": {
        parameters: [
          reference("parameters", "integration"),
          reference("parameters", "operation"),
          reference("parameters", "tenant"),
        ],
        get: {
          operationId: "callReadOnlyOperation",
          summary: "Call an operation that only reads",
          description: "Arguments are query parameters: arrays repeat, objects are JSON.",
          parameters: [reference("parameters", "connection"), reference("parameters", "instance")],
          responses: callResponses,
        },
        post: {
          operationId: "callOperation",
          summary: "Call an operation",
          requestBody: {
            description: "The arguments, and `_connection` and `_instance` where they are needed.",
            content: { "application/json": { schema: { type: "object" } } },
          },
          responses: callResponses,
        },
      },
      "/livez": {
        get: {
          operationId: "liveness",
          security: [],
          summary: "Whether the process answers",
          responses: { "200": json("It does.", reference("schemas", "Health")) },
        },
      },
      "/readyz": {
        get: {
          operationId: "readiness",
          summary: "Whether calls can be served; for callers also the state of each provider",
          security: [],
          responses: {
            "200": json(
              "`ready`, or `degraded` when some providers are away.",
              reference("schemas", "Health"),
            ),
            "503": json("`starting`, `unavailable` or `draining`.", reference("schemas", "Health")),
          },
        },
      },
      "/startupz": {
        get: {
          operationId: "startup",
          security: [],
          summary: "Whether every provider was tried once",
          responses: {
            "200": json("It was, and this stays so.", reference("schemas", "Health")),
            "503": json("`starting`.", reference("schemas", "Health")),
          },
        },
      },
    },
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description:
            "An API token, `gst_api_…`, made by POST /api/v1/tokens or `gateway tokens create`; an access token, `gst_oat_…`, that the gateway's authorization server has issued for the resource /api/v1; or a JSON Web Token of a trusted issuer.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: sessionCookie,
          description:
            "The session of POST /api/v1/auth/login. Counts only for the gateway's own pages and for programs.",
        },
      },
      parameters: {
        tenant: {
          name: "X-Gateway-Tenant",
          in: "header",
          schema: text,
          description:
            "The tenant to act in, for callers that may act for others; the query parameter `customer_id` does the same.",
        },
        integration: {
          name: "integration",
          in: "path",
          required: true,
          schema: text,
          description: "Name of a provider.",
        },
        operation: {
          name: "operation",
          in: "path",
          required: true,
          schema: text,
          description: "Name of an operation.",
        },
        connection: { name: "_connection", in: "query", schema: text, description: "The connection to use." },
        instance: {
          name: "_instance",
          in: "query",
          schema: text,
          description: "The instance of the connection to use.",
        },
      },
      responses: {
        Error: {
          description: "The gateway refused the request or could not carry it out.",
          headers: {
            "Gateway-Error": {
              description: "The error's code. Answers of upstreams don't carry this header.",
              schema: text,
              required: true,
            },
            "Retry-After": {
              description: "Seconds after which the same request may succeed.",
              schema: { type: "integer" },
            },
            "WWW-Authenticate": { description: "How to authenticate; with 401.", schema: text },
          },
          content: { "application/json": { schema: reference("schemas", "Error") } },
        },
      },
      schemas: {
        Integration: integration,
        Operation: operation,
        Error: error,
        Health: health,
        ...identitySchemas,
        ...connectionSchemas,
      },
    },
  };
}

const callResponses: JsonObject = {
  default: {
    description:
      "The upstream's status and body as they are; or, with the header `Gateway-Error`, an error of the gateway itself.",
    headers: {
      "Gateway-Error": { description: "The code of a gateway error.", schema: text },
      "Gateway-Note": { description: "What is missing of the answer, and how to get it.", schema: text },
    },
    content: { "*/*": {}, "application/json": {} },
  },
};
