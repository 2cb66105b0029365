import type { JsonObject, JsonSchema } from "../../model/json.ts";
import { json, list, reference, text } from "./openapi-parts.ts";

const texts: JsonSchema = { type: "array", items: text };
const time: JsonSchema = { type: "string", format: "date-time" };
const truth: JsonSchema = { type: "boolean" };
const secret: JsonSchema = { type: "string", format: "password" };
const actsFor: JsonSchema = {
  description: "Other tenants that may be acted for.",
  oneOf: [{ const: "any" }, texts],
};
const scopes: JsonSchema = {
  ...texts,
  description:
    "`[read:]PROVIDER[/OPERATION]`, with `*` for any characters. Absent: not narrowed; empty: nothing.",
};
const exposure: JsonObject = {
  exposure: { enum: ["all", "selected"] },
  providers: { ...texts, description: "Providers all tools of which are selected." },
  tools: { ...texts, description: "Names of selected tools; `*` stands for any characters." },
};

const refused: JsonObject = { default: reference("responses", "Error") };
const done: JsonObject = { "204": { description: "Done." } };

const user = object(["id", "name", "tenant", "roles", "acts_for", "disabled", "created_at"], {
  id: text,
  name: text,
  display_name: text,
  tenant: text,
  roles: texts,
  acts_for: actsFor,
  disabled: truth,
  created_at: time,
  last_used_at: time,
});

const tokenMembers: JsonObject = {
  id: text,
  name: text,
  tenant: text,
  user: { ...text, description: "The user that it acts as; absent for service tokens." },
  scopes,
  roles: texts,
  acts_for: actsFor,
  created_at: time,
  rotated_at: time,
  expires_at: { ...time, description: "Absent: never." },
  last_used_at: time,
  hint: { ...text, description: "The first characters of the secret." },
};
const tokenRequired = ["id", "name", "tenant", "roles", "acts_for", "created_at", "hint"];

const session = object(["id", "user", "created_at", "expires_at", "current"], {
  id: text,
  user: text,
  created_at: time,
  expires_at: time,
  last_used_at: time,
  client: { ...text, description: "The browser, as it called itself." },
  current: { ...truth, description: "True for the one that asks." },
});

const grant = object(
  [...["id", "client_id", "client_name", "client_kind"], ...["user", "scopes", "created_at", "expires_at"]],
  {
    id: text,
    client_id: text,
    client_name: { ...text, description: "What the client calls itself; nobody has checked it." },
    client_kind: {
      enum: ["static", "metadata", "registered"],
      description: "Known by the configuration, by the document at its id, or by its own registration.",
    },
    user: text,
    scopes: { ...texts, description: "`mcp`: everything; `mcp:read`: what only reads." },
    created_at: time,
    last_used_at: time,
    expires_at: { ...time, description: "Unless the client comes back before." },
  },
);

const client = object(["client_id", "client_name", "redirect_uris", "created_at", "expires_at", "grants"], {
  client_id: text,
  client_name: text,
  redirect_uris: texts,
  created_at: time,
  expires_at: { ...time, description: "Unless somebody uses it before." },
  grants: { type: "integer", description: "How many people let it act for them, in all tenants." },
});

const tenant = object(["id", "display_name", "exposure", "origin"], {
  id: text,
  display_name: text,
  ...exposure,
  origin: { enum: ["file", "store"] },
});

const principal = object(["kind", "id", "name", "tenant", "home", "roles"], {
  kind: { enum: ["anonymous", "user", "service"] },
  id: text,
  name: text,
  tenant: { ...text, description: "The tenant that it acts in." },
  home: { ...text, description: "The tenant that it belongs to." },
  roles: texts,
  scopes,
  credential: object(["kind", "id"], { kind: { enum: ["session", "token", "grant", "jwt"] }, id: text }),
});

/** Schemas of callers and what they administer. */
export const identitySchemas: JsonObject = {
  User: user,
  Token: object(tokenRequired, tokenMembers),
  CreatedToken: object([...tokenRequired, "token"], {
    ...tokenMembers,
    token: { ...secret, description: "The secret. It is told this once." },
  }),
  Session: session,
  Grant: grant,
  Client: client,
  Tenant: tenant,
  Principal: principal,
};

/** Routes of callers and what they administer. */
export const identityPaths: JsonObject = {
  "/api/v1/auth/login": {
    post: {
      operationId: "login",
      summary: "Sign in by name and password",
      security: [],
      requestBody: body(object(["name", "password"], { name: text, password: secret }, false)),
      responses: {
        "200": {
          ...json("Who is signed in now.", reference("schemas", "Principal")),
          headers: { "Set-Cookie": { description: "The session.", schema: text } },
        },
        ...refused,
      },
    },
  },
  "/api/v1/auth/logout": {
    post: { operationId: "logout", summary: "End the session", responses: { ...done, ...refused } },
  },
  "/api/v1/auth/session": {
    get: {
      operationId: "whoAmI",
      summary: "Who calls",
      responses: { "200": json("The caller.", reference("schemas", "Principal")), ...refused },
    },
  },
  "/api/v1/auth/sessions": {
    get: operation("listSessions", "Sessions: one's own; for administrators those of the tenant", {
      "200": json("The sessions, newest first.", list("sessions", "Session")),
    }),
  },
  "/api/v1/auth/sessions/{id}": {
    parameters: [path("id")],
    delete: operation("revokeSession", "End a session", done),
  },
  "/api/v1/auth/grants": {
    get: operation(
      "listGrants",
      "What people allow MCP clients: one's own; for administrators those of the tenant",
      { "200": json("The grants, newest first.", list("grants", "Grant")) },
    ),
  },
  "/api/v1/auth/grants/{id}": {
    parameters: [path("id")],
    delete: operation("revokeGrant", "End what a client may do for somebody, with all its tokens", done),
  },
  "/api/v1/auth/clients": {
    get: operation("listClients", "MCP clients that registered themselves; for operators", {
      "200": json("The clients, newest first.", list("clients", "Client")),
    }),
  },
  "/api/v1/auth/clients/{id}": {
    parameters: [path("id")],
    delete: operation(
      "revokeClient",
      "Remove a client's registration, and end what it may do for everybody; for operators",
      done,
    ),
  },
  "/api/v1/users": {
    get: operation("listUsers", "The users of the tenant", {
      "200": json("The users, by name.", list("users", "User")),
    }),
    post: operation(
      "createUser",
      "Create a user",
      { "201": json("The new user.", reference("schemas", "User")) },
      object(
        ["name", "password"],
        { name: text, display_name: text, password: secret, roles: texts, acts_for: actsFor },
        false,
      ),
    ),
  },
  "/api/v1/users/{name}": {
    parameters: [path("name")],
    patch: operation(
      "updateUser",
      "Change a user",
      { "200": json("The user as it is now.", reference("schemas", "User")) },
      object(
        [],
        {
          display_name: text,
          password: secret,
          current_password: { ...secret, description: "Needed for changing one's own password." },
          roles: texts,
          acts_for: actsFor,
          disabled: truth,
        },
        false,
      ),
    ),
    delete: operation("removeUser", "Remove a user, with all tokens and sessions", done),
  },
  "/api/v1/tokens": {
    get: operation("listTokens", "API tokens: one's own; for administrators those of the tenant", {
      "200": json("The tokens, newest first.", list("tokens", "Token")),
    }),
    post: operation(
      "createToken",
      "Create an API token",
      { "201": json("The new token.", reference("schemas", "CreatedToken")) },
      object(
        ["name"],
        {
          name: text,
          service: { ...truth, description: "A caller of its own in place of one's own token." },
          user: { ...text, description: "For another user of the tenant." },
          scopes,
          roles: texts,
          acts_for: actsFor,
          expires_in: {
            description: "Seconds, or a text such as `12h` or `30d`, or `never`.",
            oneOf: [
              { type: "integer", minimum: 1 },
              { type: "string", pattern: "^(\\d{1,9}[smhd]|never)$" },
            ],
          },
        },
        false,
      ),
    ),
  },
  "/api/v1/tokens/{id}": {
    parameters: [path("id")],
    delete: operation("revokeToken", "Revoke an API token", done),
  },
  "/api/v1/tokens/{id}/rotate": {
    parameters: [path("id")],
    post: operation("rotateToken", "Give an API token a new secret", {
      "200": json("The token with its new secret.", reference("schemas", "CreatedToken")),
    }),
  },
  "/api/v1/tenants": {
    get: operation("listTenants", "The tenants", {
      "200": json("The tenants, by id.", list("tenants", "Tenant")),
    }),
    post: operation(
      "createTenant",
      "Create a tenant",
      { "201": json("The new tenant.", reference("schemas", "Tenant")) },
      object(["id"], { id: text, display_name: text, ...exposure }, false),
    ),
  },
  "/api/v1/tenants/{id}": {
    parameters: [path("id")],
    get: operation("getTenant", "One tenant", {
      "200": json("The tenant.", reference("schemas", "Tenant")),
    }),
    patch: operation(
      "updateTenant",
      "Change a tenant",
      { "200": json("The tenant as it is now.", reference("schemas", "Tenant")) },
      object([], { display_name: text, ...exposure }, false),
    ),
    delete: operation("removeTenant", "Remove a tenant, with everything that is stored for it", done),
  },
};

function operation(
  operationId: string,
  summary: string,
  responses: JsonObject,
  takes?: JsonSchema,
): JsonObject {
  return {
    operationId,
    summary,
    parameters: [reference("parameters", "tenant")],
    ...(takes !== undefined && { requestBody: body(takes) }),
    responses: { ...responses, ...refused },
  };
}

function object(required: readonly string[], properties: JsonObject, isOpen = true): JsonSchema {
  return { type: "object", required, properties, ...(!isOpen && { additionalProperties: false }) };
}

function body(schema: JsonSchema): JsonObject {
  return { required: true, content: { "application/json": { schema } } };
}

function path(name: string): JsonObject {
  return { name, in: "path", required: true, schema: text };
}
