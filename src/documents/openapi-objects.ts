/** How a member of an object holds other objects. */
export interface Holding {
  readonly as: "one" | "list" | "map";
  readonly kind: ObjectKind;
}

/** What OpenAPI 3 says of one kind of object. */
export interface ObjectRule {
  /** Members without which the object has no meaning. */
  readonly required: readonly string[];
  /** Members that hold other objects. */
  readonly members: Readonly<Record<string, Holding>>;
  /** Pairs of members of which an object has one at most. */
  readonly exclusive: readonly (readonly [string, string])[];
  /** What its other members hold, where their names are the author's. */
  readonly rest?: ObjectKind;
}

/** The kinds of objects in OpenAPI 3.2 section 4 in which authors make mistakes. */
export type ObjectKind =
  | "document"
  | "info"
  | "server"
  | "serverVariable"
  | "components"
  | "paths"
  | "pathItem"
  | "operation"
  | "parameter"
  | "header"
  | "requestBody"
  | "mediaType"
  | "encoding"
  | "responses"
  | "response"
  | "callback"
  | "example"
  | "link"
  | "securityScheme"
  | "tag"
  | "schema"
  | "xml";

/** Keys of a path item that are methods. */
export const fixedMethods = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

const one = (kind: ObjectKind): Holding => ({ as: "one", kind });
const list = (kind: ObjectKind): Holding => ({ as: "list", kind });
const map = (kind: ObjectKind): Holding => ({ as: "map", kind });

function rule(parts: Partial<ObjectRule>): ObjectRule {
  return { required: [], members: {}, exclusive: [], ...parts };
}

const content = map("mediaType");
const examples = ["example", "examples"] as const;
const encodings = {
  encoding: map("encoding"),
  prefixEncoding: list("encoding"),
  itemEncoding: one("encoding"),
};
const byNameOrPlace = [
  ["encoding", "prefixEncoding"],
  ["encoding", "itemEncoding"],
] as const;
const value = { schema: one("schema"), content, examples: map("example") };
const valueForms = [examples, ["schema", "content"], ["content", "style"], ["content", "explode"]] as const;

/** What each kind of object may hold, by kind. */
export const openapiObjects: Readonly<Record<ObjectKind, ObjectRule>> = {
  document: rule({
    required: ["info"],
    members: {
      info: one("info"),
      servers: list("server"),
      paths: one("paths"),
      webhooks: map("pathItem"),
      components: one("components"),
      tags: list("tag"),
    },
  }),
  info: rule({ required: ["title", "version"] }),
  server: rule({ required: ["url"], members: { variables: map("serverVariable") } }),
  serverVariable: rule({ required: ["default"] }),
  components: rule({
    members: {
      schemas: map("schema"),
      responses: map("response"),
      parameters: map("parameter"),
      examples: map("example"),
      requestBodies: map("requestBody"),
      headers: map("header"),
      securitySchemes: map("securityScheme"),
      links: map("link"),
      callbacks: map("callback"),
      pathItems: map("pathItem"),
      mediaTypes: map("mediaType"),
    },
  }),
  paths: rule({ rest: "pathItem" }),
  pathItem: rule({
    members: {
      ...Object.fromEntries(fixedMethods.map((method) => [method, one("operation")])),
      additionalOperations: map("operation"),
      servers: list("server"),
      parameters: list("parameter"),
    },
  }),
  operation: rule({
    members: {
      parameters: list("parameter"),
      requestBody: one("requestBody"),
      responses: one("responses"),
      callbacks: map("callback"),
      servers: list("server"),
    },
  }),
  parameter: rule({ required: ["name", "in"], members: value, exclusive: valueForms }),
  header: rule({ members: value, exclusive: valueForms }),
  requestBody: rule({ required: ["content"], members: { content } }),
  mediaType: rule({
    members: {
      schema: one("schema"),
      itemSchema: one("schema"),
      examples: map("example"),
      ...encodings,
    },
    exclusive: [examples, ...byNameOrPlace],
  }),
  encoding: rule({ members: { headers: map("header"), ...encodings }, exclusive: byNameOrPlace }),
  responses: rule({ rest: "response" }),
  response: rule({ members: { headers: map("header"), content, links: map("link") } }),
  callback: rule({ rest: "pathItem" }),
  example: rule({
    exclusive: [
      ["value", "externalValue"],
      ["value", "dataValue"],
      ["value", "serializedValue"],
      ["serializedValue", "externalValue"],
    ],
  }),
  link: rule({ members: { server: one("server") }, exclusive: [["operationRef", "operationId"]] }),
  securityScheme: rule({ required: ["type"] }),
  tag: rule({ required: ["name"] }),
  schema: rule({
    members: {
      properties: map("schema"),
      patternProperties: map("schema"),
      dependentSchemas: map("schema"),
      $defs: map("schema"),
      allOf: list("schema"),
      anyOf: list("schema"),
      oneOf: list("schema"),
      items: one("schema"),
      prefixItems: list("schema"),
      additionalProperties: one("schema"),
      not: one("schema"),
      xml: one("xml"),
    },
  }),
  xml: rule({
    exclusive: [
      ["nodeType", "attribute"],
      ["nodeType", "wrapped"],
    ],
  }),
};
