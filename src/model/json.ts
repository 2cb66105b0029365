/** Any JSON value (RFC 8259), as parsed. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A JSON Schema document, dialect 2020-12 unless `$schema` says otherwise. */
export type JsonSchema = JsonObject;
