import * as seed from "./seed.ts";

/** What a book is about, in one word. */
export type Genre = "novel" | "science_fiction" | "adventure" | "poetry" | "essay";

/** The currencies that prices are quoted in. */
export type Currency = "EUR" | "USD" | "GBP";

/** An amount of money, in whole units with two decimals. */
export interface Price {
  readonly amount: number;
  readonly currency: Currency;
}

/** Somebody who wrote a book of the shop. */
export interface Author {
  readonly id: string;
  readonly name: string;
  /** Year of birth. */
  readonly born: number;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** A title that the shop sells. */
export interface Book {
  /** Made of the title: lower case, words joined by hyphens. */
  readonly id: string;
  readonly title: string;
  readonly authorId: string;
  readonly genre: Genre;
  readonly tags: readonly string[];
  /** Date, `YYYY-MM-DD`. */
  readonly published: string;
  readonly price: Price;
  /** Copies on the shelf. */
  readonly stock: number;
}

/** What a new book needs; the rest is derived. */
export type NewBook = Pick<Book, "title" | "authorId" | "genre" | "published" | "price"> &
  Partial<Pick<Book, "tags" | "stock">>;

/** What may change about a book. */
export type BookChange = Partial<Pick<Book, "price" | "stock" | "tags">>;

/** A reader's opinion of a book. */
export interface Review {
  readonly id: string;
  readonly bookId: string;
  readonly reviewer: string;
  /** From 1 to 5. */
  readonly rating: number;
  readonly text: string;
}

/** A review before it has an id. */
export type NewReview = Omit<Review, "id" | "bookId">;

/** Somebody who buys, and where the parcel goes. */
export interface Customer {
  readonly name: string;
  readonly email: string;
  readonly address: { readonly street: string; readonly city: string; readonly country: string };
}

/** A number of copies of one book. */
interface OrderLine {
  readonly bookId: string;
  readonly quantity: number;
}

/** How far an order has come. */
export type OrderStatus = "placed" | "shipped" | "cancelled";

/** A purchase. */
export interface Order {
  readonly id: string;
  readonly customer: Customer;
  readonly lines: readonly OrderLine[];
  readonly total: Price;
  readonly status: OrderStatus;
  /** Date, `YYYY-MM-DD`. */
  readonly placedOn: string;
}

/** A purchase before it is placed. */
export type NewOrder = Pick<Order, "customer" | "lines">;

/** Which books to list, and in which order. Absent members do not restrict. */
export interface BookFilter {
  readonly text?: string | undefined;
  readonly genres?: readonly Genre[] | undefined;
  /** A book matches when it has all of them. */
  readonly tags?: readonly string[] | undefined;
  readonly price?: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined;
  /** By title unless said otherwise. */
  readonly sort?: "title" | "price" | "published" | undefined;
}

/** Which part of a list to return. */
export interface PageRequest {
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** One part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** One arrival or sale of copies. */
export interface StockMovement {
  readonly number: number;
  readonly bookId: string;
  readonly change: number;
}

/** A request that the shop cannot fulfil; each server puts it into its protocol's own words. */
export class BookshopError extends Error {
  readonly reason: "not_found" | "conflict" | "invalid";

  constructor(reason: BookshopError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * A small bookshop that lives in memory and starts with the same stock every time.
 * Every method throws `BookshopError` when something does not exist, contradicts the state, or makes no sense.
 */
export class Bookshop {
  readonly #authors = new Map(seed.authors.map((author) => [author.id, author]));
  readonly #books = new Map(seed.books.map((book) => [book.id, book]));
  readonly #reviews = new Map(seed.reviews.map((review) => [review.id, review]));
  readonly #orders = new Map(seed.orders.map((order) => [order.id, order]));
  readonly #orderOfKey = new Map<string, string>();
  #lastReview = seed.reviews.length;
  #lastOrder = seed.orders.length;

  authors(): readonly Author[] {
    return [...this.#authors.values()];
  }

  author(id: string): Author {
    return found(this.#authors.get(id), `There is no author "${id}".`);
  }

  booksOf(authorId: string): readonly Book[] {
    return [...this.#books.values()].filter((book) => book.authorId === authorId);
  }

  book(id: string): Book {
    return found(this.#books.get(id), `There is no book "${id}".`);
  }

  books(filter: BookFilter, page: PageRequest): Page<Book> {
    const text = filter.text?.toLowerCase();
    const matches = [...this.#books.values()].filter(
      (book) =>
        (text === undefined || book.title.toLowerCase().includes(text)) &&
        (filter.genres === undefined || filter.genres.includes(book.genre)) &&
        (filter.tags ?? []).every((tag) => book.tags.includes(tag)) &&
        book.price.amount >= (filter.price?.min ?? 0) &&
        book.price.amount <= (filter.price?.max ?? Number.POSITIVE_INFINITY),
    );
    return paginate(matches.sort(compareBooks(filter.sort ?? "title")), page);
  }

  addBook(book: NewBook): Book {
    if (!this.#authors.has(book.authorId)) {
      throw new BookshopError("invalid", `There is no author "${book.authorId}" to write the book.`);
    }
    const id = book.title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
    if (this.#books.has(id)) throw new BookshopError("conflict", `The shop already sells "${id}".`);
    const added: Book = { ...book, id, tags: book.tags ?? [], stock: book.stock ?? 0 };
    this.#books.set(id, added);
    return added;
  }

  changeBook(id: string, change: BookChange): Book {
    const changed: Book = { ...this.book(id), ...change };
    this.#books.set(id, changed);
    return changed;
  }

  removeBook(id: string): void {
    this.book(id);
    const open = [...this.#orders.values()].find(
      (order) => order.status === "placed" && order.lines.some((line) => line.bookId === id),
    );
    if (open) {
      throw new BookshopError("conflict", `"${id}" is part of ${open.id}, which has not been shipped yet.`);
    }
    this.#books.delete(id);
    for (const review of this.reviewsOf(id)) this.#reviews.delete(review.id);
  }

  reviewsOf(bookId: string): readonly Review[] {
    return [...this.#reviews.values()].filter((review) => review.bookId === bookId);
  }

  addReview(bookId: string, review: NewReview): Review {
    this.book(bookId);
    if (review.rating < 1 || review.rating > 5) {
      throw new BookshopError("invalid", `A rating is between 1 and 5, not ${review.rating}.`);
    }
    this.#lastReview += 1;
    const added: Review = { ...review, id: `review-${this.#lastReview}`, bookId };
    this.#reviews.set(added.id, added);
    return added;
  }

  removeReview(id: string): void {
    if (!this.#reviews.delete(id)) throw new BookshopError("not_found", `There is no review "${id}".`);
  }

  order(id: string): Order {
    return found(this.#orders.get(id), `There is no order "${id}".`);
  }

  orders(filter: { readonly status?: OrderStatus | undefined; readonly country?: string | undefined }) {
    return [...this.#orders.values()].filter(
      (order) =>
        (filter.status === undefined || order.status === filter.status) &&
        (filter.country === undefined || order.customer.address.country === filter.country),
    );
  }

  /** Takes the copies off the shelf. The same `idempotencyKey` again returns the order that it made before. */
  placeOrder(order: NewOrder, idempotencyKey?: string): Order {
    const earlier = idempotencyKey === undefined ? undefined : this.#orderOfKey.get(idempotencyKey);
    if (earlier !== undefined) return this.order(earlier);

    const wanted = Map.groupBy(order.lines, (line) => line.bookId);
    if (wanted.size === 0) throw new BookshopError("invalid", "An order needs at least one line.");
    const taken = [...wanted].map(([bookId, lines]) => {
      const quantity = lines.reduce((sum, line) => sum + line.quantity, 0);
      if (lines.some((line) => line.quantity < 1)) {
        throw new BookshopError("invalid", `The quantity of "${bookId}" has to be at least 1.`);
      }
      const book = this.#books.get(bookId);
      if (!book) throw new BookshopError("invalid", `There is no book "${bookId}" to order.`);
      if (book.stock < quantity) {
        throw new BookshopError(
          "conflict",
          `Only ${book.stock} of "${bookId}" are in stock, not ${quantity}.`,
        );
      }
      return { book, quantity };
    });

    for (const { book, quantity } of taken) this.changeBook(book.id, { stock: book.stock - quantity });
    this.#lastOrder += 1;
    const placed: Order = {
      ...order,
      id: `order-${this.#lastOrder}`,
      total: { amount: roundMoney(sumOf(taken)), currency: "EUR" },
      status: "placed",
      placedOn: new Date().toISOString().slice(0, 10),
    };
    this.#orders.set(placed.id, placed);
    if (idempotencyKey !== undefined) this.#orderOfKey.set(idempotencyKey, placed.id);
    return placed;
  }

  cancelOrder(id: string): Order {
    const order = this.order(id);
    if (order.status !== "placed") {
      throw new BookshopError("conflict", `${id} is ${order.status} and cannot be cancelled any more.`);
    }
    for (const line of order.lines) {
      const book = this.#books.get(line.bookId);
      if (book) this.changeBook(book.id, { stock: book.stock + line.quantity });
    }
    const cancelled: Order = { ...order, status: "cancelled" };
    this.#orders.set(id, cancelled);
    return cancelled;
  }

  /** Copies and revenue per genre, over all orders that were not cancelled. */
  salesReport(): readonly { readonly genre: Genre; readonly copies: number; readonly revenue: number }[] {
    const sold = [...this.#orders.values()]
      .filter((order) => order.status !== "cancelled")
      .flatMap((order) => order.lines)
      .flatMap((line) => {
        const book = this.#books.get(line.bookId);
        return book ? [{ book, quantity: line.quantity }] : [];
      });
    return [...Map.groupBy(sold, ({ book }) => book.genre)].map(([genre, lines]) => ({
      genre,
      copies: lines.reduce((sum, line) => sum + line.quantity, 0),
      revenue: roundMoney(sumOf(lines)),
    }));
  }

  /** A journal of any length, the same for the same `count`. */
  stockMovements(count: number): readonly StockMovement[] {
    const ids = [...this.#books.keys()];
    return Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      bookId: ids[index % ids.length] ?? "",
      change: index % 3 === 0 ? 5 : -1,
    }));
  }
}

/** The price in another currency, at rates that never change. */
export function convertPrice(price: Price, currency: Currency): Price {
  const perEuro: Readonly<Record<Currency, number>> = { EUR: 1, USD: 1.1, GBP: 0.85 };
  return { amount: roundMoney((price.amount / perEuro[price.currency]) * perEuro[currency]), currency };
}

function found<Item>(item: Item | undefined, message: string): Item {
  if (item === undefined) throw new BookshopError("not_found", message);
  return item;
}

function compareBooks(sort: "title" | "price" | "published"): (left: Book, right: Book) => number {
  const byTitle = (left: Book, right: Book) => (left.title < right.title ? -1 : 1);
  if (sort === "price")
    return (left, right) => left.price.amount - right.price.amount || byTitle(left, right);
  if (sort === "published") return (left, right) => (left.published < right.published ? -1 : 1);
  return byTitle;
}

/** A cursor is the id of the last item of a page, wrapped so that nobody reads a meaning into it. */
function paginate<Item extends { readonly id: string }>(
  items: readonly Item[],
  { limit, cursor }: PageRequest,
): Page<Item> {
  let start = 0;
  if (cursor !== undefined) {
    const last = Buffer.from(cursor, "base64url").toString();
    start = items.findIndex((item) => item.id === last) + 1;
    if (start === 0) throw new BookshopError("invalid", `The cursor "${cursor}" belongs to no page.`);
  }
  const slice = items.slice(start, start + limit);
  const last = slice.at(-1);
  return {
    items: slice,
    total: items.length,
    ...(last && start + limit < items.length ? { nextCursor: cursorOf(last.id) } : {}),
  };
}

/** The cursor that continues a list behind the item with this id. */
export function cursorOf(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function sumOf(lines: readonly { readonly book: Book; readonly quantity: number }[]): number {
  return lines.reduce((sum, { book, quantity }) => sum + book.price.amount * quantity, 0);
}

function roundMoney(amount: number): number {
  return Math.round(amount * 100) / 100;
}
