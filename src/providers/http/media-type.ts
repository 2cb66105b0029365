/** Type and subtype in lower case, without parameters: `Application/JSON; charset=utf-8` gives `application/json`. */
export function essence(mediaType: string): string {
  return (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** `application/json`, `text/json` and everything that ends in `+json`; not sequences of JSON texts. */
export function isJsonMediaType(mediaType: string): boolean {
  const type = essence(mediaType);
  return (
    type === "application/json" ||
    type === "text/json" ||
    (type.endsWith("+json") && !type.endsWith("-seq+json"))
  );
}

/** `application/json-seq` and `+json-seq`: JSON texts, each after a record separator (RFC 7464). */
export function isJsonSequenceMediaType(mediaType: string): boolean {
  const type = essence(mediaType);
  return type === "application/json-seq" || type.endsWith("+json-seq");
}

/** Media types whose body is one JSON text per line. */
export function isJsonLinesMediaType(mediaType: string): boolean {
  return /^(?:application|text)\/(?:x-)?(?:ndjson|jsonl|json-?lines)$/.test(essence(mediaType));
}

/** Media types that hold text a person can read: `text/*`, XML, YAML, scripts, query languages and the like. */
export function isTextMediaType(mediaType: string): boolean {
  const type = essence(mediaType);
  return (
    type.startsWith("text/") ||
    /^application\/(?:.*\+)?(?:xml|yaml|x-yaml|javascript|graphql|sql|toml|jwt|jose|x-pem-file|pem-certificate-chain)$/.test(
      type,
    ) ||
    /^application\/(?:xml-dtd|sparql-(?:query|update)|n-triples|n-quads|trig)$/.test(type) ||
    type === "image/svg+xml"
  );
}
