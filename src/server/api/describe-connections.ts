import type { JsonObject, JsonSchema } from "../../model/json.ts";
import { json, reference, text } from "./openapi-parts.ts";

const time: JsonSchema = { type: "string", format: "date-time" };
const truth: JsonSchema = { type: "boolean" };
const optionalText: JsonSchema = { type: "string", description: "Absent where there is nothing to say." };
const texts: JsonSchema = { type: "array", items: text };
const textMap: JsonSchema = { type: "object", additionalProperties: text };
const refused: JsonObject = { default: reference("responses", "Error") };

const field: JsonSchema = {
  type: "object",
  required: ["name", "label", "secret", "required"],
  properties: {
    name: text,
    label: text,
    description: optionalText,
    secret: truth,
    required: truth,
    default: text,
  },
};
const fields: JsonSchema = { type: "array", items: reference("schemas", "FormField") };

const next: JsonSchema = {
  type: "object",
  description: "What makes the connection ready. Absent where it is, or where nothing helps.",
  required: ["kind"],
  properties: {
    kind: { enum: ["authorize", "enter", "choose_instance", "send_header", "configure"] },
    url: { ...text, description: "A page of the gateway, where somebody signs in and connects." },
    params: fields,
    fields,
    instances: texts,
    header: { ...text, description: "The header of each request that has to carry the credential." },
    what: { ...text, description: "What the operator has to do." },
  },
};

const instance: JsonSchema = {
  type: "object",
  required: ["instance", "shared", "state", "connected_at", "refreshable", "params"],
  properties: {
    instance: text,
    shared: { ...truth, description: "True for one that the tenant shares." },
    state: { enum: ["ready", "reconnect_required"] },
    reason: optionalText,
    connected_at: time,
    expires_at: { ...time, description: "When the access token ends; absent: unknown or never." },
    refreshable: { ...truth, description: "Whether it can be refreshed without anybody." },
    scopes: texts,
    params: textMap,
  },
};

const connection: JsonSchema = {
  type: "object",
  required: ["name", "display_name", "mode", "type", "state", "instances"],
  properties: {
    name: text,
    display_name: text,
    description: optionalText,
    mode: { enum: ["none", "user", "tenant", "identity", "either"] },
    type: { enum: ["none", "bearer", "manual", "oauth2", "mcp_oauth", "passthrough"] },
    state: {
      enum: [
        "ready",
        "needs_connection",
        "needs_instance_selection",
        "reconnect_required",
        "needs_configuration",
        "unavailable",
      ],
    },
    reason: { ...optionalText, description: "Why the state is what it is." },
    next_action: next,
    form: {
      type: "object",
      description: "What connecting asks for, whatever the state is; absent where nobody connects here.",
      required: ["kind", "url", "fields", "params"],
      properties: {
        kind: { enum: ["authorize", "enter"] },
        url: { ...text, description: "The page of the gateway at which it is done in a browser." },
        fields,
        params: fields,
      },
    },
    instances: { type: "array", items: instance },
  },
};

const connected: JsonSchema = {
  type: "object",
  required: ["connected"],
  properties: {
    connected: {
      type: "object",
      required: ["provider", "connection", "instance", "shared"],
      properties: { provider: text, connection: text, instance: text, shared: truth },
    },
  },
};

const started: JsonSchema = {
  type: "object",
  required: ["authorization_url", "expires_at"],
  properties: {
    authorization_url: {
      ...text,
      description:
        "Where the browser has to go; it has to be signed in to the gateway as the same user when it comes back.",
    },
    expires_at: time,
  },
};

const pending: JsonSchema = {
  type: "object",
  required: ["pending", "choices", "expires_at"],
  properties: {
    pending: text,
    choices: {
      type: "array",
      items: { type: "object", required: ["id", "label"], properties: { id: text, label: text } },
    },
    expires_at: time,
  },
};

/** Schemas of connections. */
export const connectionSchemas: JsonObject = {
  Connection: connection,
  FormField: field,
  Connected: connected,
  StartedAuthorization: started,
  PendingConnection: pending,
};

const target: JsonObject = {
  provider: text,
  connection: { ...text, description: "Absent: the only one that can be meant." },
  instance: { ...text, description: "Absent: `default`.", pattern: "^[a-z0-9][a-z0-9._-]{0,62}$" },
  shared: { ...truth, description: "True: for everybody in the tenant." },
};
const params: JsonSchema = { ...textMap, description: "Values besides the credential, by name." };

const finish: JsonObject = {
  operationId: "finishAuthorization",
  summary: "Where authorization servers send browsers back to; answers with pages",
  security: [{ session: [] }],
  parameters: ["state", "code", "iss", "error"].map((name) => ({
    name,
    in: "query",
    schema: text,
    ...(name === "state" && { required: true }),
  })),
  responses: {
    "200": { description: "A page on which to choose what it is for.", content: { "text/html": {} } },
    "303": { description: "Connected; on to the page of the connection." },
    default: { description: "A page that says why not.", content: { "text/html": {} } },
  },
};

/** Routes by which connections are made; what ends them is `DELETE` on their integration. */
export const connectionPaths: JsonObject = {
  "/api/v1/auth/start-oauth": {
    post: {
      operationId: "startAuthorization",
      summary: "Begin an authorization in a browser",
      parameters: [reference("parameters", "tenant")],
      requestBody: body(["provider"], {
        ...target,
        params,
        return_to: { ...text, description: "Path of the gateway's page to come back to, below `/connect`." },
      }),
      responses: {
        "200": json("Where to go, or what is connected already.", {
          oneOf: [reference("schemas", "StartedAuthorization"), reference("schemas", "Connected")],
        }),
        ...refused,
      },
    },
  },
  "/api/v1/auth/callback": { get: finish },
  "/api/v1/auth/callback/{issuer}": {
    parameters: [
      {
        name: "issuer",
        in: "path",
        required: true,
        description:
          "The first 32 hex digits of the SHA-256 of the issuer at which the gateway registered itself.",
        schema: { type: "string", pattern: "^[0-9a-f]{32}$" },
      },
    ],
    get: { ...finish, operationId: "finishAuthorizationOfIssuer" },
  },
  "/api/v1/auth/connect-manual": {
    post: {
      operationId: "connectManually",
      summary: "Store a credential that somebody has entered",
      parameters: [reference("parameters", "tenant")],
      requestBody: body(["provider", "fields"], {
        ...target,
        fields: {
          type: "object",
          additionalProperties: { type: "string", format: "password" },
          description: "The values by the names of the form's fields.",
        },
        params,
      }),
      responses: {
        "200": json(
          "It is kept until somebody chooses what it is for.",
          reference("schemas", "PendingConnection"),
        ),
        "201": json("Connected.", reference("schemas", "Connected")),
        ...refused,
      },
    },
  },
  "/api/v1/auth/pending-connection": {
    post: {
      operationId: "chooseConnection",
      summary: "Choose what a credential is for",
      parameters: [reference("parameters", "tenant")],
      requestBody: body(["pending", "choice"], { pending: text, choice: text }),
      responses: { "201": json("Connected.", reference("schemas", "Connected")), ...refused },
    },
  },
};

/** `DELETE` on an integration. */
export const disconnectOperation: JsonObject = {
  operationId: "disconnect",
  summary: "Remove a stored credential, and have the upstream revoke it where it can",
  description: "The parameters may stand in a JSON body instead.",
  parameters: [
    reference("parameters", "connection"),
    reference("parameters", "instance"),
    { name: "shared", in: "query", schema: truth, description: "True: the one that the tenant shares." },
  ],
  responses: {
    "200": json("What is gone.", {
      type: "object",
      required: ["provider", "connection", "instance", "revoked"],
      properties: {
        provider: text,
        connection: text,
        instance: text,
        revoked: {
          enum: ["yes", "unsupported", "failed"],
          description: "Whether the upstream has revoked it; `failed`: it can, and did not.",
        },
      },
    }),
    ...refused,
  },
};

function body(required: readonly string[], properties: JsonObject): JsonObject {
  const schema = { type: "object", required, properties, additionalProperties: false };
  return { required: true, content: { "application/json": { schema } } };
}
