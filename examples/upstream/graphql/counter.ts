import { createHash } from "node:crypto";
import { GraphQLError } from "graphql";
import type { Bookshop } from "../bookshop.ts";

/** What a field may know of the request. */
export interface RequestContext {
  /** The caller showed the staff's token. */
  readonly isStaff: boolean;
}

interface NoteArguments {
  readonly bookId: string;
  /** Left out: the note stays. Null: it is taken off. */
  readonly note?: string | null;
  readonly colour: string;
}

interface CoverArguments {
  readonly bookId: string;
  readonly file: File;
  readonly caption?: string | null;
}

/** The root fields about what happens at the counter: notes, pictures, reports and what the staff can't find. */
export function createCounterFields(shop: Bookshop) {
  const notes = new Map<string, string>();
  const addCover = async ({ bookId, file, caption }: CoverArguments) => {
    const content = await file.bytes();
    return {
      bookId: shop.book(bookId).id,
      fileName: file.name,
      mediaType: file.type,
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      caption,
    };
  };
  return {
    noteOnBook: ({ bookId, note, colour }: NoteArguments) => {
      const { id } = shop.book(bookId);
      if (typeof note === "string") notes.set(id, note);
      if (note === null) notes.delete(id);
      const change = note === undefined ? "kept" : note === null ? "removed" : "written";
      return { bookId: id, text: notes.get(id), colour, change };
    },
    addCover,
    addCovers: ({ covers }: { covers: readonly CoverArguments[] }) => covers.map(addCover),
    stocktaking: () => {
      throw new GraphQLError("The list of the last stocktaking is lost.", { extensions: { code: "LOST" } });
    },
    salesReport: (_none: object, { isStaff }: RequestContext) => {
      if (!isStaff) {
        // `http` is for the server itself, which takes it out.
        const extensions = { code: "FORBIDDEN", http: { status: 403 } };
        throw new GraphQLError("Only the staff may see this.", { extensions });
      }
      return shop.salesReport().map((sales) => ({ ...sales, genre: sales.genre.toUpperCase() }));
    },
    /** A subscription: one event for each movement. */
    stockMovements: async function* ({ count }: { count: number }) {
      for (const movement of shop.stockMovements(Math.min(count, 100))) yield { stockMovements: movement };
    },
  };
}
