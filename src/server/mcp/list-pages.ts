import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** A list that clients get in pages. */
export interface PagedList {
  /** What it lists, for people: `tools`. */
  readonly what: string;
  /** Of what clients see: cursors live as long as it stays. */
  readonly digest: string;
  readonly length: number;
  /** Writes the members of a page but for its cursor; asked again when the page was let go meanwhile. */
  readonly write: (start: number, end: number) => JsonObject;
}

/** Gives the page that a cursor stands for, the first one without: the same object for the same page, as far as memory goes. */
export type Pages = (cursor: JsonValue | undefined) => JsonObject;

const pageLength = 200;

/** Cuts a list into pages. What it returns throws `RpcError` (-32602) for a cursor that is not of this list. */
export function createPages({ what, digest, length, write }: PagedList): Pages {
  // Cursors are looked up, never computed with: a forged one is simply unknown.
  const starts = new Map<string, number>();
  for (let start = pageLength; start < length; start += pageLength) starts.set(`${digest}.${start}`, start);
  // Pages of large catalogs are large, and most of them are asked for once.
  const pages = new Map<number, WeakRef<JsonObject>>();
  return (cursor) => {
    const start = cursor === undefined ? 0 : typeof cursor === "string" ? starts.get(cursor) : undefined;
    if (start === undefined) {
      throw new RpcError(
        rpcCodes.invalidParams,
        `This cursor is not of the current list of ${what}, which may have changed meanwhile. Start over without a cursor.`,
      );
    }
    const known = pages.get(start)?.deref();
    if (known !== undefined) return known;
    const end = start + pageLength;
    const page = {
      ...write(start, end),
      ...(end < length ? { nextCursor: `${digest}.${end}` } : {}),
    };
    pages.set(start, new WeakRef(page));
    return page;
  };
}
