import { setTimeout as delay } from "node:timers/promises";
import {
  type CallToolResult,
  type ElicitRequestFormParams,
  fromJsonSchema,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceNotFoundError,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import { type Bookshop, BookshopError, type Customer, type Genre } from "./bookshop.ts";
import type { CallLog } from "./serve.ts";

/** What the tools work on. */
export interface McpShop {
  readonly shop: Bookshop;
  readonly log: CallLog;
  /** Whether the caller is one of the staff, who have a tool more. */
  readonly staff: boolean;
}

const genre = { type: "string", enum: ["novel", "science_fiction", "adventure", "poetry", "essay"] } as const;

const bookSchema = {
  type: "object",
  properties: {
    id: { type: "string" },
    title: { type: "string" },
    authorId: { type: "string" },
    genre,
    tags: { type: "array", items: { type: "string" } },
    published: { type: "string", format: "date" },
    price: {
      type: "object",
      properties: { amount: { type: "number" }, currency: { type: "string" } },
      required: ["amount", "currency"],
    },
    stock: { type: "integer", description: "Copies on the shelf." },
  },
  required: ["id", "title", "authorId", "genre", "tags", "published", "price", "stock"],
} as const;

const customerSchema: ElicitRequestFormParams["requestedSchema"] = {
  type: "object",
  properties: {
    name: { type: "string", title: "Name" },
    email: { type: "string", title: "E-mail", format: "email" },
    street: { type: "string", title: "Street and number" },
    city: { type: "string", title: "City" },
    country: { type: "string", title: "Country", description: "Two letters, such as GB.", default: "GB" },
  },
  required: ["name", "email", "street", "city"],
};

/** The bookshop's tools, resources and prompt, for one connection or one request of either era. */
export function createMcpServer({ shop, log, staff }: McpShop): McpServer {
  const server = new McpServer(
    { name: "bookshop", title: "The Bookshop", version: "1.0.0" },
    { instructions: "Search for books first; the other tools take the ids that a search returns." },
  );

  server.registerTool(
    "search_books",
    {
      title: "Search books",
      description: "Books whose title contains a text, optionally of one genre.",
      inputSchema: fromJsonSchema<{ text?: string; genre?: Genre; limit?: number }>({
        type: "object",
        properties: {
          text: { type: "string", description: "A part of the title; empty for all." },
          genre,
          limit: { type: "integer", minimum: 1, maximum: 100, default: 10 },
        },
      }),
      outputSchema: fromJsonSchema({
        type: "object",
        properties: { books: { type: "array", items: bookSchema }, total: { type: "integer" } },
        required: ["books", "total"],
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ text, genre, limit }) => {
      const page = shop.books({ text, genres: genre && [genre] }, { limit: limit ?? 10 });
      return structured({ books: page.items, total: page.total });
    },
  );

  server.registerTool(
    "get_book",
    {
      title: "Get a book",
      description: "One book, by its id.",
      inputSchema: fromJsonSchema<{ id: string }>({
        type: "object",
        properties: { id: { type: "string", description: "Such as frankenstein." } },
        required: ["id"],
      }),
      outputSchema: fromJsonSchema(bookSchema),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ id }) => attempt(() => structured({ ...shop.book(id) })),
  );

  server.registerTool(
    "take_stock",
    {
      title: "Take stock",
      description: "Counts every copy on the shelves, shelf by shelf. Takes its time and reports progress.",
      inputSchema: fromJsonSchema<{ delay_ms?: number }>({
        type: "object",
        properties: {
          delay_ms: {
            type: "integer",
            minimum: 0,
            maximum: 10_000,
            default: 100,
            description: "Milliseconds per shelf.",
          },
        },
      }),
      outputSchema: fromJsonSchema({
        type: "object",
        properties: { shelves: { type: "integer" }, copies: { type: "integer" } },
        required: ["shelves", "copies"],
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ delay_ms: milliseconds }, { mcpReq }) => {
      const shelves = genre.enum;
      const progressToken = mcpReq._meta?.progressToken;
      let copies = 0;
      log.count("take_stock begun");
      for (const [index, shelf] of shelves.entries()) {
        try {
          await delay(milliseconds ?? 100, undefined, { signal: mcpReq.signal });
        } catch (error) {
          log.count("take_stock cancelled");
          throw error;
        }
        const { items } = shop.books({ genres: [shelf] }, { limit: 100 });
        copies += items.reduce((sum, book) => sum + book.stock, 0);
        if (progressToken === undefined) continue;
        await mcpReq.notify({
          method: "notifications/progress",
          params: {
            progressToken,
            progress: index + 1,
            total: shelves.length,
            message: `Counted the shelf ${shelf}.`,
          },
        });
      }
      return structured({ shelves: shelves.length, copies });
    },
  );

  server.registerTool(
    "order_book",
    {
      title: "Order a book",
      description: "Orders copies of one book. Asks the user where to send them.",
      inputSchema: fromJsonSchema<{ id: string; quantity?: number }>({
        type: "object",
        properties: {
          id: { type: "string", description: "Such as frankenstein." },
          quantity: { type: "integer", minimum: 1, default: 1 },
        },
        required: ["id"],
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    },
    ({ id, quantity = 1 }, { mcpReq }) =>
      attempt<InputRequiredResult>(() => {
        const { title } = shop.book(id);
        const answer = inputResponse(mcpReq.inputResponses, "delivery");
        if (answer.kind !== "elicit") {
          const message = `Where should ${quantity} × “${title}” go?`;
          return inputRequired({
            inputRequests: {
              delivery: inputRequired.elicit({ message, requestedSchema: customerSchema }),
            },
          });
        }
        if (answer.action !== "accept") return { content: [{ type: "text", text: "Nothing was ordered." }] };
        const order = shop.placeOrder({
          customer: readCustomer(answer.content ?? {}),
          lines: [{ bookId: id, quantity }],
        });
        return { content: [{ type: "text", text: JSON.stringify(order) }] };
      }),
  );

  if (staff) {
    server.registerTool(
      "restock_book",
      {
        title: "Restock a book",
        description: "Puts copies of one book on the shelf. For the staff.",
        inputSchema: fromJsonSchema<{ id: string; copies: number }>({
          type: "object",
          properties: { id: { type: "string" }, copies: { type: "integer", minimum: 1 } },
          required: ["id", "copies"],
        }),
        outputSchema: fromJsonSchema(bookSchema),
        annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
      },
      ({ id, copies }) =>
        attempt(() => structured({ ...shop.changeBook(id, { stock: shop.book(id).stock + copies }) })),
    );
  }

  server.registerResource(
    "catalogue",
    "bookshop://catalogue",
    { title: "Catalogue", description: "All titles of the shop.", mimeType: "text/plain" },
    ({ href }) => {
      const { items } = shop.books({}, { limit: 100 });
      const text = items.map((book) => `${book.id}: ${book.title}`).join("\n");
      return { contents: [{ uri: href, mimeType: "text/plain", text }] };
    },
  );

  server.registerResource(
    "book",
    new ResourceTemplate("bookshop://books/{id}", {
      list: undefined,
      complete: {
        id: (begun) =>
          shop.books({}, { limit: 100 }).items.flatMap(({ id }) => (id.startsWith(begun) ? [id] : [])),
      },
    }),
    { title: "Book", description: "One book of the shop.", mimeType: "application/json" },
    ({ href }, { id }) => {
      const book = shop.books({}, { limit: 100 }).items.find((candidate) => candidate.id === id);
      if (!book) throw new ResourceNotFoundError(href);
      return { contents: [{ uri: href, mimeType: "application/json", text: JSON.stringify(book) }] };
    },
  );

  server.registerPrompt(
    "recommend_book",
    {
      title: "Recommend a book",
      description: "Asks for a recommendation out of what is on the shelves.",
      argsSchema: fromJsonSchema<{ mood: string }>({
        type: "object",
        properties: { mood: { type: "string", description: "What the reader is in the mood for." } },
        required: ["mood"],
      }),
    },
    ({ mood }) => ({
      messages: [
        {
          role: "user",
          content: {
            type: "text",
            text: `Read the catalogue and recommend one book to a reader who is in the mood for ${mood}.`,
          },
        },
        {
          role: "user",
          content: {
            type: "resource_link",
            uri: "bookshop://catalogue",
            name: "catalogue",
            title: "Catalogue",
            mimeType: "text/plain",
          },
        },
      ],
    }),
  );

  return server;
}

function structured(content: Record<string, unknown>): CallToolResult {
  return { content: [{ type: "text", text: JSON.stringify(content) }], structuredContent: content };
}

/** A refusal of the shop is a result that the model can read; anything else is a fault of this server. */
function attempt<Result extends CallToolResult | InputRequiredResult>(
  operate: () => Result | CallToolResult,
): Result | CallToolResult {
  try {
    return operate();
  } catch (error) {
    if (!(error instanceof BookshopError)) throw error;
    return { isError: true, content: [{ type: "text", text: error.message }] };
  }
}

/** The answers of the form as the shop wants them; a missing answer is empty. */
function readCustomer(answers: Readonly<Record<string, unknown>>): Customer {
  const text = (name: string) => String(answers[name] ?? "");
  return {
    name: text("name"),
    email: text("email"),
    address: { street: text("street"), city: text("city"), country: text("country") || "GB" },
  };
}
