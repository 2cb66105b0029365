import { type Bookshop, BookshopError, cursorOf } from "../bookshop.ts";
import { bookNode } from "./books.ts";

/** A form in which a book is sold: pages if it is bound, else a playing time. */
interface Edition {
  readonly id: string;
  readonly isbn: bigint;
  readonly bookId: string;
  /** RFC 3339. */
  readonly added: string;
  readonly details: unknown;
  readonly length: number | string;
  readonly reader?: string;
}

/** Exactly one member is given; the schema's `EditionBy`. */
interface EditionBy {
  readonly id?: string;
  readonly isbn?: bigint;
  readonly copy?: { readonly shelf: string; readonly position: number };
}

interface PageArguments {
  readonly first: number;
  readonly after?: string | null;
}

const initialEditions: readonly Edition[] = [
  {
    id: "emma-bound",
    // More than a double can hold, and so is every number of the collectors' catalogue.
    isbn: 97_800_000_000_000_000_001n,
    bookId: "emma",
    added: "2026-01-15T08:00:00Z",
    details: { binding: { kind: "cloth", colours: ["green", "gold"] } },
    length: 474,
  },
  {
    id: "emma-read",
    isbn: 9_007_199_254_740_993n,
    bookId: "emma",
    added: "2026-02-01T12:30:00+01:00",
    details: null,
    length: "PT16H2M",
    reader: "Juliet",
  },
  {
    id: "frankenstein-bound",
    isbn: 9_781_234_567_897n,
    bookId: "frankenstein",
    added: "2026-03-01T00:00:00Z",
    details: [1, "two", { three: true }],
    length: 280,
  },
];

const vouchers = [{ __typename: "Voucher", id: "voucher-20", worth: 20, added: "2026-10-01" }];

/** The root fields about editions, which come as an interface, in a union and page by page. */
export function createEditionFields(shop: Bookshop) {
  const editions = new Map(initialEditions.map((edition) => [edition.id, edition]));
  const all = (): readonly Edition[] => [...editions.values()];
  const editionNode = (edition: Edition): object => ({
    ...edition,
    __typename: typeof edition.length === "number" ? "Hardcover" : "Audiobook",
    book: () => bookNode(shop, shop.book(edition.bookId)),
  });
  const onShelf = (name: string): readonly Edition[] => all().filter(({ bookId }) => bookId === name);
  const pageOf = (list: readonly Edition[], { first, after }: PageArguments): object => {
    const start = after ? list.findIndex(({ id }) => cursorOf(id) === after) + 1 : 0;
    if (first < 0 || (after && start === 0)) throw new BookshopError("invalid", "There is no such page.");
    const items = list.slice(start, start + first);
    const last = items.at(-1);
    return {
      nodes: items.map(editionNode),
      totalCount: list.length,
      pageInfo: { hasNextPage: start + first < list.length, endCursor: last && cursorOf(last.id) },
    };
  };

  return {
    edition: ({ by: { id, isbn, copy } }: { by: EditionBy }) => {
      const found = copy
        ? onShelf(copy.shelf)[copy.position - 1]
        : all().find((edition) => edition.id === id || edition.isbn === isbn);
      return found ? editionNode(found) : null;
    },
    editions: (page: PageArguments) => pageOf(all(), page),
    gifts: () => [...all().map(editionNode), ...vouchers],
    /** A shelf is named after the book that it holds the editions of. */
    shelf: ({ name }: { name: string }) =>
      onShelf(name).length === 0
        ? null
        : { name, editions: (page: PageArguments) => pageOf(onShelf(name), page) },
    describeEdition: ({ id, details = null }: { id: string; details?: unknown }) => {
      const edition = editions.get(id);
      if (!edition) throw new BookshopError("not_found", `There is no edition "${id}".`);
      const changed = { ...edition, details };
      editions.set(id, changed);
      return editionNode(changed);
    },
  };
}
