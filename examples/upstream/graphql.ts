// The bookshop as a GraphQL API, described by schema.graphql beside this file; graphql/ holds its parts.
//
//   PORT            where to listen on loopback; 0 for a free port (4011)
//   BOOKSHOP_TOKEN  the bearer token of the staff (demo-token)
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  getOperationAST,
  parse,
  subscribe,
  validate,
} from "graphql";
import { Bookshop } from "./bookshop.ts";
import { createBookFields } from "./graphql/books.ts";
import { createCounterFields, type RequestContext } from "./graphql/counter.ts";
import { describeError, statusOf } from "./graphql/describe-error.ts";
import { createEditionFields } from "./graphql/editions.ts";
import { writeJson } from "./graphql/exact-json.ts";
import { createFederationFields } from "./graphql/federation.ts";
import { createDocumentStore } from "./graphql/persisted-documents.ts";
import { readCall } from "./graphql/read-call.ts";
import { loadSchema } from "./graphql/schema.ts";
import { type CallLog, type RequestHandler, sendJson, serve } from "./serve.ts";

/** Makes a shop of its own and the handler that serves it at `POST /graphql`. */
export function createGraphqlHandler(log: CallLog): RequestHandler {
  const schema = loadSchema();
  const shop = new Bookshop();
  const rootValue = {
    ...createBookFields(shop),
    ...createEditionFields(shop),
    ...createCounterFields(shop),
    ...createFederationFields(shop),
  };
  const documentOf = createDocumentStore();

  return async (request, response) => {
    if (request.method !== "POST" || request.url !== "/graphql") {
      sendJson(response, 404, { errors: [{ message: "The only address here is POST /graphql." }] });
      return;
    }
    // The media type of GraphQL over HTTP gives a refused request the status 400; plain JSON keeps 200.
    const isModern = request.headers.accept?.includes("application/graphql-response+json") ?? false;
    const send = ({ data, errors = [] }: ExecutionResult): void => {
      const status = errors.map(statusOf).find((wanted) => wanted !== undefined);
      const answer = {
        ...(data !== undefined && { data }),
        ...(errors.length > 0 && { errors: errors.map(describeError) }),
      };
      response
        .writeHead(status ?? (isModern && data === undefined ? 400 : 200), {
          "content-type": isModern ? "application/graphql-response+json" : "application/json",
        })
        .end(writeJson(answer));
    };

    const call = await readCall(request);
    if (!call) {
      sendJson(response, 400, { errors: [{ message: "The body has to be JSON, or a form with files." }] });
      return;
    }
    let document: DocumentNode;
    try {
      document = parse(documentOf(call));
    } catch (error) {
      send({ errors: [error instanceof GraphQLError ? error : new GraphQLError(String(error))] });
      return;
    }
    for (const field of rootFields(document)) log.count(field);
    const errors = validate(schema, document);
    if (errors.length > 0) {
      send({ errors });
      return;
    }
    const contextValue: RequestContext = { isStaff: isStaff(request) };
    const { variables: variableValues, operationName } = call;
    const execution = { schema, document, rootValue, contextValue, variableValues, operationName };
    if (getOperationAST(document, operationName)?.operation !== "subscription")
      send(await execute(execution));
    else {
      const events = await subscribe(execution);
      if (Symbol.asyncIterator in events) await sendEvents(response, events);
      else send(events);
    }
  };
}

/** The results of a subscription as an event stream (GraphQL over Server-Sent Events, distinct connections mode). */
async function sendEvents(response: ServerResponse, events: AsyncIterable<ExecutionResult>): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for await (const event of events) {
    if (response.destroyed) return;
    response.write(`event: next\ndata: ${writeJson(event)}\n\n`);
  }
  response.end("event: complete\ndata:\n\n");
}

function isStaff({ headers }: IncomingMessage): boolean {
  return headers.authorization === `Bearer ${process.env["BOOKSHOP_TOKEN"] ?? "demo-token"}`;
}

/** The names of the fields that a document asks the roots for, to count the calls by. */
function rootFields(document: DocumentNode): readonly string[] {
  return document.definitions
    .flatMap((definition) =>
      definition.kind === "OperationDefinition" ? definition.selectionSet.selections : [],
    )
    .flatMap((selection) => (selection.kind === "Field" ? [selection.name.value] : []));
}

if (import.meta.main) serve(createGraphqlHandler, 4011);
