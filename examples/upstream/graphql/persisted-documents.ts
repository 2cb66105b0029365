import { createHash } from "node:crypto";
import { GraphQLError } from "graphql";
import type { GraphqlCall } from "./read-call.ts";

/** Documents that the shop knows by an id from the start. */
const registered: Readonly<Record<string, string>> = {
  "editions-of-a-shelf/1":
    "query EditionsOfShelf($shelf: String!, $first: Int! = 5) { shelf(name: $shelf) { name editions(first: $first) { totalCount nodes { id isbn } } } }",
};

/** Finds the document of a call: given as it is, by the id of a registered one, or by the hash of one that was sent before. */
export function createDocumentStore(): (call: GraphqlCall) => string {
  const kept = new Map<string, string>();
  return ({ query, documentId, hash }) => {
    if (documentId !== undefined) {
      const document = Object.hasOwn(registered, documentId) ? registered[documentId] : undefined;
      if (document === undefined) throw notFound();
      return document;
    }
    if (hash !== undefined && query === undefined) {
      const document = kept.get(hash);
      if (document === undefined) throw notFound();
      return document;
    }
    if (query === undefined) throw new GraphQLError("The body has to be JSON with a `query`.");
    if (hash !== undefined) {
      if (createHash("sha256").update(query).digest("hex") !== hash)
        throw new GraphQLError("The hash is not that of the query.");
      kept.set(hash, query);
    }
    return query;
  };
}

function notFound(): GraphQLError {
  return new GraphQLError("PersistedQueryNotFound", { extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } });
}
