import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  buildSchema,
  type GraphQLSchema,
  graphql,
  NoSchemaIntrospectionCustomRule,
  parse,
  validate,
} from "graphql";

/** One request as the server got it. */
export interface SeenRequest {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: {
    readonly query: string;
    readonly operationName: string;
    readonly variables: Record<string, unknown>;
  };
}

/** A server on a free loopback port. */
export interface Loopback {
  readonly url: string;
  readonly requests: SeenRequest[];
  readonly close: () => Promise<void>;
}

/** What is served: resolvers by graphql-js's default field resolver, and whether introspection is allowed. */
export interface GraphqlServerOptions {
  readonly schema: GraphQLSchema;
  readonly rootValue: unknown;
  readonly introspection?: boolean;
}

/** Serves a schema with graphql-js, as GraphQL over HTTP says: 400 for a request that can't be run, else 200. */
export function serveGraphql({
  schema,
  rootValue,
  introspection = true,
}: GraphqlServerOptions): Promise<Loopback> {
  return serve(async (seen, response) => {
    const rules = introspection ? [] : [NoSchemaIntrospectionCustomRule];
    const refused = validate(schema, parse(seen.body.query), rules);
    const result =
      refused.length > 0
        ? { errors: refused }
        : await graphql({
            schema,
            rootValue,
            source: seen.body.query,
            operationName: seen.body.operationName,
            variableValues: seen.body.variables,
          });
    const status = "data" in result && result.data !== undefined ? 200 : 400;
    response.writeHead(status, { "content-type": "application/graphql-response+json; charset=utf-8" });
    response.end(JSON.stringify(result));
  });
}

/** An answer without GraphQL behind it. */
export interface CannedAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** Answers each request with what `answer` makes of it. */
export function serveText(answer: (seen: SeenRequest) => CannedAnswer): Promise<Loopback> {
  return serve((seen, response) => {
    const { status, headers, text } = answer(seen);
    response.writeHead(status, headers);
    response.end(text);
  });
}

async function serve(answer: (seen: SeenRequest, response: ServerResponse) => unknown): Promise<Loopback> {
  const requests: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const body = (text === "" ? {} : JSON.parse(text)) as SeenRequest["body"];
    const seen = { url: request.url ?? "", headers: request.headers, body };
    requests.push(seen);
    await answer(seen, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A shop: unions, interfaces, connections, enums, input objects, recursive inputs, custom scalars, errors, mutations. */
export const shopSdl = /* GraphQL */ `
  scalar DateTime
  scalar JSON
  scalar BigInt

  enum Status { "Can be bought." OPEN "No longer offered." CLOSED }

  interface Item { id: ID! title: String! }
  type Book implements Item { id: ID! title: String! pages: Int! size: Int price: Money }
  type Shirt implements Item { id: ID! title: String! size: String! extra: JSON price: Money! }
  type Money { amount: BigInt! currency: String! }
  union Found = Book | Shirt | Person
  type Person { id: ID! name: String! books(first: Int, after: String): BookConnection! }
  type BookConnection { totalCount: Int! nodes: [Book] pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }

  input Filter { and: [Filter!] or: [Filter!] title: String status: Status = OPEN since: DateTime }
  input NewBook { title: String! pages: Int! = 100 tags: [String!] details: JSON }

  type Query {
    "Everything on offer."
    items(filter: Filter, limit: Int! = 5): [Item!]!
    search(text: String!): [Found!]!
    person(id: ID!): Person
    echo(text: String): String
    exact: BigInt!
    broken: Person
    partial: [Person]
  }

  type Mutation {
    addBook(book: NewBook!): Book!
    removeItem(id: ID!): Boolean!
  }
`;

/** The shop's schema, able to tell its types apart. */
export function buildShop(): GraphQLSchema {
  return buildSchema(shopSdl);
}
