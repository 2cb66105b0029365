// The bookshop as a REST API, described by openapi.yaml beside this file.
//
//   PORT            where to listen on loopback; 0 for a free port (4010)
//   BOOKSHOP_TOKEN  the bearer token of the staff (demo-token)
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorObject, ValidateFunction } from "ajv";
import {
  type Book,
  type BookChange,
  type BookFilter,
  Bookshop,
  BookshopError,
  type Currency,
  convertPrice,
  type Genre,
  type NewBook,
  type NewOrder,
  type NewReview,
  type OrderStatus,
} from "./bookshop.ts";
import { findOperation, loadContract, readParameters } from "./contract.ts";
import { drawCover } from "./cover.ts";
import { abandoned, type CallLog, type RequestHandler, readBody, sendJson, serve } from "./serve.ts";

/** What an operation answers; `body` is sent as JSON unless it is bytes. */
interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface BooksParameters {
  readonly text?: string;
  readonly genre?: readonly Genre[];
  readonly tags?: readonly string[];
  readonly price?: { readonly min?: number; readonly max?: number };
  readonly sort: NonNullable<BookFilter["sort"]>;
  readonly limit: number;
  readonly cursor?: string;
  readonly "X-Currency": Currency;
}

type Operate = (parameters: unknown, body: unknown, signal: AbortSignal) => Answer | Promise<Answer>;

const document = new URL("openapi.yaml", import.meta.url);
const staffToken = process.env["BOOKSHOP_TOKEN"] ?? "demo-token";

/** One function per `operationId` of the document. */
function createOperations(shop: Bookshop): Readonly<Record<string, Operate>> {
  return {
    listBooks: operation<BooksParameters>(({ genre, "X-Currency": currency, ...filter }) => {
      const page = shop.books({ ...filter, genres: genre }, filter);
      return ok({ ...page, items: page.items.map((book) => inCurrency(book, currency)) });
    }),
    createBook: operation<unknown, NewBook>((_, newBook) => {
      const book = shop.addBook(newBook);
      return { status: 201, body: book, headers: { location: `/books/${book.id}` } };
    }),
    getBook: operation<{ bookId: string; "X-Currency": Currency }>(({ bookId, "X-Currency": currency }) =>
      ok(inCurrency(shop.book(bookId), currency)),
    ),
    updateBook: operation<{ bookId: string }, BookChange>(({ bookId }, change) =>
      ok(shop.changeBook(bookId, change)),
    ),
    deleteBook: operation<{ bookId: string }>(({ bookId }) => {
      shop.removeBook(bookId);
      return { status: 204 };
    }),
    getBookCover: operation<{ bookId: string }>(({ bookId }) => ({
      status: 200,
      body: drawCover(shop.book(bookId).id),
      headers: { "content-type": "image/png" },
    })),
    listReviews: operation<{ bookId: string }>(({ bookId }) => ok(shop.reviewsOf(shop.book(bookId).id))),
    createReview: operation<{ bookId: string }, NewReview>(({ bookId }, review) => ({
      status: 201,
      body: shop.addReview(bookId, review),
    })),
    deleteReview: operation<{ reviewId: string }>(({ reviewId }) => {
      shop.removeReview(reviewId);
      return { status: 204 };
    }),
    listAuthors: operation(() => ok(shop.authors())),
    getAuthor: operation<{ authorId: string }>(({ authorId }) =>
      ok({ ...shop.author(authorId), books: shop.booksOf(authorId) }),
    ),
    listOrders: operation<{ filter?: { status?: OrderStatus; country?: string } }>(({ filter }) =>
      ok(shop.orders(filter ?? {})),
    ),
    placeOrder: operation<{ "Idempotency-Key"?: string }, NewOrder>(
      ({ "Idempotency-Key": idempotencyKey }, newOrder) => {
        const order = shop.placeOrder(newOrder, idempotencyKey);
        return { status: 201, body: order, headers: { location: `/orders/${order.id}` } };
      },
    ),
    getOrder: operation<{ orderId: string }>(({ orderId }) => ok(shop.order(orderId))),
    cancelOrder: operation<{ orderId: string }>(({ orderId }) => ok(shop.cancelOrder(orderId))),
    salesReport: operation<{ delay_ms: number }>(async ({ delay_ms: milliseconds }, _, signal) => {
      await delay(milliseconds, undefined, { signal });
      return ok(shop.salesReport());
    }),
    listStockMovements: operation<{ count: number }>(({ count }) => ok(shop.stockMovements(count))),
  };
}

/** Gives an operation the types of its request, which the document's schemas have checked before it runs. */
function operation<Parameters, Body = undefined>(
  operate: (parameters: Parameters, body: Body, signal: AbortSignal) => Answer | Promise<Answer>,
): Operate {
  return (parameters, body, signal) => operate(parameters as Parameters, body as Body, signal);
}

function createHandler(log: CallLog): RequestHandler {
  const contract = loadContract(document);
  const operations = createOperations(new Bookshop());

  return async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname === "/openapi.yaml") {
      response.writeHead(200, { "content-type": "application/yaml" }).end(readFileSync(document));
      return;
    }
    const match = findOperation(contract, request.method ?? "GET", url.pathname);
    const operate = match && operations[match.operation.id];
    if (!match || !operate) {
      sendProblem(response, 404, `There is no ${request.method} ${url.pathname}.`);
      return;
    }
    log.count(match.operation.id);
    if (match.operation.secured && request.headers.authorization !== `Bearer ${staffToken}`) {
      response.setHeader("www-authenticate", 'Bearer realm="bookshop staff"');
      sendProblem(response, 401, "This needs the bearer token of the staff.");
      return;
    }

    const parameters = readParameters(match.operation, match.pathValues, url.searchParams, request.headers);
    const body = match.operation.checkBody && (await readJson(request));
    if (body && !body.ok) {
      sendProblem(response, 400, "The request body is not JSON.");
      return;
    }
    const problems = [
      ...problemsOf("parameter", match.operation.checkParameters, parameters),
      ...(match.operation.checkBody ? problemsOf("body", match.operation.checkBody, body?.value) : []),
    ];
    if (problems.length > 0) {
      sendProblem(response, 422, problems.join("; "), problems);
      return;
    }

    const signal = abandoned(response);
    try {
      send(response, await operate(parameters, body?.value, signal));
    } catch (error) {
      if (signal.aborted) log.count(`${match.operation.id} abandoned`);
      else if (error instanceof BookshopError) sendProblem(response, statusOf[error.reason], error.message);
      else throw error;
    }
  };
}

const statusOf: Readonly<Record<BookshopError["reason"], number>> = {
  not_found: 404,
  conflict: 409,
  invalid: 422,
};

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function inCurrency(book: Book, currency: Currency): Book {
  return { ...book, price: convertPrice(book.price, currency) };
}

async function readJson(
  request: IncomingMessage,
): Promise<
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly value?: undefined }
> {
  try {
    return { ok: true, value: JSON.parse(await readBody(request)) };
  } catch {
    return { ok: false };
  }
}

function problemsOf(what: string, check: ValidateFunction, value: unknown): readonly string[] {
  if (check(value)) return [];
  const place = (error: ErrorObject) => error.instancePath.slice(1).replaceAll("/", ".");
  return (check.errors ?? []).map((error) =>
    `${what} ${place(error)} ${error.message}`.replaceAll("  ", " "),
  );
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else if (body instanceof Buffer) response.writeHead(status, headers).end(body);
  else sendJson(response, status, body, headers);
}

function sendProblem(
  response: ServerResponse,
  status: number,
  detail: string,
  problems?: readonly string[],
): void {
  const titles: Readonly<Record<number, string>> = {
    400: "Malformed request",
    401: "Unauthenticated",
    404: "Not found",
    409: "Conflict",
    422: "Invalid request",
  };
  const problem = { title: titles[status], status, detail, ...(problems && { problems }) };
  sendJson(response, status, problem, { "content-type": "application/problem+json" });
}

serve(createHandler, 4010);
