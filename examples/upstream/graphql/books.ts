import { GraphQLError } from "graphql";
import {
  type Author,
  type Book,
  type BookFilter,
  type Bookshop,
  BookshopError,
  cursorOf,
  type Genre,
  type NewOrder,
  type NewReview,
  type Order,
  type Review,
} from "../bookshop.ts";

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

/** What has to be true of a book; the schema's `Condition`. */
interface Condition {
  readonly all?: readonly Condition[] | null;
  readonly any?: readonly Condition[] | null;
  readonly not?: Condition | null;
  readonly titleHas?: string | null;
  readonly genre?: InCapitals<Genre> | null;
  readonly publishedBefore?: string | null;
}

/** A book as the schema has it. A field with a price to pay is a function, which runs when it is asked for. */
export function bookNode(shop: Bookshop, book: Book): object {
  return {
    ...book,
    __typename: "Book",
    genre: book.genre.toUpperCase(),
    author: () => authorNode(shop, shop.author(book.authorId)),
    reviews: () => shop.reviewsOf(book.id).map((review) => reviewNode(shop, review)),
    wholesalePrice: () => {
      if (book.id === silentPublisherOf)
        throw new GraphQLError(`The publisher of "${book.title}" does not answer.`);
      return { ...book.price, amount: Math.round(book.price.amount * 60) / 100 };
    },
  };
}

/** An author as the schema has it. */
export function authorNode(shop: Bookshop, author: Author): object {
  return {
    ...author,
    __typename: "Author",
    books: () => shop.booksOf(author.id).map((book) => bookNode(shop, book)),
  };
}

function reviewNode(shop: Bookshop, review: Review): object {
  return { ...review, book: () => bookNode(shop, shop.book(review.bookId)) };
}

function orderNode(shop: Bookshop, order: Order): object {
  return {
    ...order,
    status: order.status.toUpperCase(),
    lines: order.lines.map(({ bookId, quantity }) => ({
      quantity,
      book: () => bookNode(shop, shop.book(bookId)),
    })),
  };
}

/** The root fields about books, their authors, reviews and orders. */
export function createBookFields(shop: Bookshop) {
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
      const edges = page.items.map((book) => ({ cursor: cursorOf(book.id), node: bookNode(shop, book) }));
      return {
        edges,
        totalCount: page.total,
        pageInfo: { hasNextPage: page.nextCursor !== undefined, endCursor: edges.at(-1)?.cursor },
      };
    },
    book: ({ id }: { id: string }) => orNull(() => bookNode(shop, shop.book(id))),
    authors: ({ bornAfter }: { bornAfter?: string | null }) =>
      shop
        .authors()
        .filter((author) => !bornAfter || author.born > Number(bornAfter.slice(0, 4)))
        .map((author) => authorNode(shop, author)),
    author: ({ id }: { id: string }) => orNull(() => authorNode(shop, shop.author(id))),
    search: ({ text }: { text: string }) => [
      ...shop.books({ text }, { limit: 100 }).items.map((book) => bookNode(shop, book)),
      ...shop
        .authors()
        .filter((author) => author.name.toLowerCase().includes(text.toLowerCase()))
        .map((author) => authorNode(shop, author)),
    ],
    order: ({ id }: { id: string }) => orNull(() => orderNode(shop, shop.order(id))),
    findBooks: ({ where }: { where: Condition }) =>
      shop
        .books({}, { limit: 100 })
        .items.filter((book) => holds(where, book))
        .map((book) => bookNode(shop, book)),

    addReview: ({ input: { bookId, ...review } }: { input: NewReview & { bookId: string } }) =>
      reviewNode(shop, shop.addReview(bookId, review)),
    removeReview: ({ id }: { id: string }) =>
      orNull(() => {
        shop.removeReview(id);
        return true;
      }) ?? false,
    placeOrder: ({ input }: { input: NewOrder }) => orderNode(shop, shop.placeOrder(input)),
    cancelOrder: ({ id }: { id: string }) => orderNode(shop, shop.cancelOrder(id)),
  };
}

function holds({ all, any, not, titleHas, genre, publishedBefore }: Condition, book: Book): boolean {
  return (
    (all ?? []).every((condition) => holds(condition, book)) &&
    (!any || any.some((condition) => holds(condition, book))) &&
    !(not && holds(not, book)) &&
    (!titleHas || book.title.toLowerCase().includes(titleHas.toLowerCase())) &&
    (!genre || book.genre === toLowerCase<Genre>(genre)) &&
    (!publishedBefore || book.published < publishedBefore)
  );
}

/** What `find` finds; null where the shop has nothing of the kind. */
export function orNull<Value>(find: () => Value): Value | null {
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
