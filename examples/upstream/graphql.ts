// The bookshop as a GraphQL API, described by schema.graphql beside this file.
//
//   PORT  where to listen on loopback; 0 for a free port (4011)
import { readFileSync } from "node:fs";
import {
  buildSchema,
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  GraphQLScalarType,
  type GraphQLSchema,
  parse,
  validate,
} from "graphql";
import {
  type Author,
  type Book,
  type BookFilter,
  Bookshop,
  BookshopError,
  cursorOf,
  type Genre,
  type NewOrder,
  type NewReview,
  type Order,
  type Review,
} from "./bookshop.ts";
import { type CallLog, type RequestHandler, readBody, sendJson, serve } from "./serve.ts";

/** The book whose wholesale price cannot be had: its field fails while the rest of the answer stands. */
const silentPublisherOf = "twenty-thousand-leagues-under-the-seas";

/** The enum names of the schema are the shop's words in capitals. */
type InCapitals<Word extends string> = Uppercase<Word>;

interface BooksArguments {
  readonly filter?: Omit<BookFilter, "genres" | "sort"> & { readonly genres?: readonly InCapitals<Genre>[] };
  readonly sort: InCapitals<NonNullable<BookFilter["sort"]>>;
  readonly first: number;
  readonly after?: string | null;
}

function loadSchema(): GraphQLSchema {
  const schema = buildSchema(readFileSync(new URL("schema.graphql", import.meta.url), "utf8"));
  const date = schema.getType("Date");
  if (date instanceof GraphQLScalarType) {
    date.coerceInputValue = (value) => {
      if (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value)) return value;
      throw new GraphQLError(`A Date looks like 1818-01-01, not like ${JSON.stringify(value)}.`);
    };
  }
  return schema;
}

/** The root fields. A field with arguments or a price to pay is a function, which runs when it is asked for. */
function createRoot(shop: Bookshop) {
  const bookNode = (book: Book): object => ({
    ...book,
    __typename: "Book",
    genre: book.genre.toUpperCase(),
    author: () => authorNode(shop.author(book.authorId)),
    reviews: () => shop.reviewsOf(book.id).map(reviewNode),
    wholesalePrice: () => {
      if (book.id === silentPublisherOf)
        throw new GraphQLError(`The publisher of "${book.title}" does not answer.`);
      return { ...book.price, amount: Math.round(book.price.amount * 60) / 100 };
    },
  });
  const authorNode = (author: Author): object => ({
    ...author,
    __typename: "Author",
    books: () => shop.booksOf(author.id).map(bookNode),
  });
  const reviewNode = (review: Review): object => ({
    ...review,
    book: () => bookNode(shop.book(review.bookId)),
  });
  const orderNode = (order: Order): object => ({
    ...order,
    status: order.status.toUpperCase(),
    lines: order.lines.map(({ bookId, quantity }) => ({ quantity, book: () => bookNode(shop.book(bookId)) })),
  });

  return {
    books: ({ filter, sort, first, after }: BooksArguments) => {
      const page = shop.books(
        {
          ...filter,
          genres: filter?.genres?.map((genre) => toLowerCase<Genre>(genre)),
          sort: toLowerCase(sort),
        },
        { limit: first, cursor: after ?? undefined },
      );
      const edges = page.items.map((book) => ({ cursor: cursorOf(book.id), node: bookNode(book) }));
      return {
        edges,
        totalCount: page.total,
        pageInfo: { hasNextPage: page.nextCursor !== undefined, endCursor: edges.at(-1)?.cursor },
      };
    },
    book: ({ id }: { id: string }) => orNull(() => bookNode(shop.book(id))),
    authors: ({ bornAfter }: { bornAfter?: string | null }) =>
      shop
        .authors()
        .filter((author) => !bornAfter || author.born > Number(bornAfter.slice(0, 4)))
        .map(authorNode),
    author: ({ id }: { id: string }) => orNull(() => authorNode(shop.author(id))),
    search: ({ text }: { text: string }) => [
      ...shop.books({ text }, { limit: 100 }).items.map(bookNode),
      ...shop
        .authors()
        .filter((author) => author.name.toLowerCase().includes(text.toLowerCase()))
        .map(authorNode),
    ],
    order: ({ id }: { id: string }) => orNull(() => orderNode(shop.order(id))),

    addReview: ({ input: { bookId, ...review } }: { input: NewReview & { bookId: string } }) =>
      reviewNode(shop.addReview(bookId, review)),
    removeReview: ({ id }: { id: string }) =>
      orNull(() => {
        shop.removeReview(id);
        return true;
      }) ?? false,
    placeOrder: ({ input }: { input: NewOrder }) => orderNode(shop.placeOrder(input)),
    cancelOrder: ({ id }: { id: string }) => orderNode(shop.cancelOrder(id)),
  };
}

function createHandler(log: CallLog): RequestHandler {
  const schema = loadSchema();
  const rootValue = createRoot(new Bookshop());

  return async (request, response) => {
    if (request.method !== "POST" || request.url !== "/graphql") {
      sendJson(response, 404, { errors: [{ message: "The only address here is POST /graphql." }] });
      return;
    }
    // The media type of GraphQL over HTTP gives a refused request the status 400; plain JSON keeps 200.
    const modern = request.headers.accept?.includes("application/graphql-response+json") ?? false;
    const headers = { "content-type": modern ? "application/graphql-response+json" : "application/json" };
    const refuse = (errors: readonly GraphQLFormattedError[]) =>
      sendJson(response, modern ? 400 : 200, { errors }, headers);

    const call = readCall(await readBody(request));
    if (!call) {
      sendJson(response, 400, { errors: [{ message: "The body has to be JSON with a `query`." }] }, headers);
      return;
    }
    let document: DocumentNode;
    try {
      document = parse(call.query);
    } catch (error) {
      refuse([error instanceof GraphQLError ? error.toJSON() : { message: "The query cannot be read." }]);
      return;
    }
    for (const field of rootFields(document)) log.count(field);
    const errors = validate(schema, document);
    if (errors.length > 0) {
      refuse(errors.map((error) => error.toJSON()));
      return;
    }
    const result = await execute({
      schema,
      document,
      rootValue,
      variableValues: call.variables,
      operationName: call.operationName,
    });
    const shown = {
      ...result,
      ...(result.errors && { errors: result.errors.map((error) => withReason(error)) }),
    };
    sendJson(response, modern && result.data === undefined ? 400 : 200, shown, headers);
  };
}

interface GraphqlCall {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly operationName: string | undefined;
}

function readCall(text: string): GraphqlCall | undefined {
  try {
    const { query, variables, operationName } = JSON.parse(text);
    return typeof query === "string"
      ? { query, variables: variables ?? undefined, operationName: operationName ?? undefined }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The names of the fields that a document asks the roots for, to count the calls by. */
function rootFields(document: DocumentNode): readonly string[] {
  return document.definitions
    .flatMap((definition) =>
      definition.kind === "OperationDefinition" ? definition.selectionSet.selections : [],
    )
    .flatMap((selection) => (selection.kind === "Field" ? [selection.name.value] : []));
}

/** An error with the shop's reason as `extensions.code`, such as `CONFLICT`. */
function withReason(error: GraphQLError): GraphQLFormattedError {
  const formatted = error.toJSON();
  return error.originalError instanceof BookshopError
    ? { ...formatted, extensions: { code: error.originalError.reason.toUpperCase() } }
    : formatted;
}

function orNull<Value>(find: () => Value): Value | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof BookshopError && error.reason === "not_found") return null;
    throw error;
  }
}

function toLowerCase<Word extends string>(word: Uppercase<Word>): Word {
  // Holds for the words of the schema's enums, which are the shop's in capitals.
  return word.toLowerCase() as Word;
}

serve(createHandler, 4011);
