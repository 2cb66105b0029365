import { pagesArgument } from "../../catalog/paginate.ts";
import { GatewayError } from "../../errors.ts";
import type { ResponseMapping } from "../../model/config.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { HttpResult, PageSummary } from "../../model/result.ts";
import type { Clock } from "./clock.ts";
import { parseJsonBytes, withPart } from "./json-part.ts";
import { mapResponse } from "./map-response.ts";
import { essence, isJsonMediaType } from "./media-type.ts";
import { findNextPage, itemsAt, type NextPage, type Page, type PaginatedOperation } from "./next-page.ts";

/** How pages are asked for, and how many. */
export interface PageCollection {
  readonly operation: PaginatedOperation;
  readonly mapping: ResponseMapping | undefined;
  /** The most pages to collect. */
  readonly wanted: number;
  /** The most items; the page that brings more is the last one. */
  readonly maxItems: number;
  /** The most bytes of all pages together. */
  readonly maxBytes: number;
  /** Sends the call with other arguments, or to another address. */
  readonly fetch: (
    next: { readonly arguments: JsonObject; readonly url: string | undefined },
    maxBytes: number,
    signal: AbortSignal,
  ) => Promise<SentPage>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** When the call ends, by the clock. */
  readonly endsAt: number;
}

/** An answer, and what it was asked for with. */
export interface SentPage {
  readonly result: HttpResult;
  readonly arguments: JsonObject;
  /** Without the credential. */
  readonly url: string;
}

/** What is kept free of a call's time to return what was collected, in ms. */
const reserve = 1_000;

/**
 * Follows a first page as far as is wanted and makes one answer of all: the last page's, with the items of all pages. What
 * stands in the way later on ends the collection, and is told. An answer without a list is passed on as it is.
 */
export async function collectPages(first: SentPage, collection: PageCollection): Promise<HttpResult> {
  const { operation, mapping, wanted } = collection;
  const path = operation.pagination.items ?? mapping?.data ?? [];
  const start = readPage(first, path);
  if (start === undefined) {
    const result = mapResponse(first.result, mapping);
    return wanted === 1 ? result : { ...result, notes: [...(result.notes ?? []), describeNoList(path)] };
  }

  let sent = first;
  let page = start;
  const items = [...start.items];
  let pages = 1;
  let bytes = first.result.body.byteLength;
  let requests = first.result.attempts ?? 1;
  let stopped: string | undefined;
  const seen = new Set<string>();
  let next = nextOf(operation, page, seen);
  while (pages < wanted && (next.kind === "arguments" || next.kind === "address")) {
    stopped = limitMet(collection, items.length, bytes);
    if (stopped !== undefined) break;
    const outcome = await fetchPage(collection, page, next, collection.maxBytes - bytes);
    if (typeof outcome === "string") {
      stopped = outcome;
      break;
    }
    requests += outcome.result.attempts ?? 1;
    const following = outcome.result.isError ? undefined : readPage(outcome, path);
    if (following === undefined) {
      stopped = describeRefusal(outcome.result);
      break;
    }
    sent = outcome;
    page = following;
    pages += 1;
    bytes += outcome.result.body.byteLength;
    for (const item of following.items) items.push(item);
    next = nextOf(operation, page, seen);
    if (following.items.length === 0) {
      if (next.kind !== "none") stopped = "the last page had no items";
      break;
    }
  }
  if (next.kind === "unreachable" && pages < wanted) stopped ??= next.reason;
  const summary = summarize(pages, items.length, next, stopped);
  const notes = describe(summary, next, operation.pagination.maxPages);
  const result = pages === 1 ? sent.result : joined(sent.result, withPart(page.answer, path, items));
  return {
    ...mapResponse(result, mapping),
    ...(requests > pages && { attempts: requests }),
    pages: summary,
    ...(notes.length > 0 && { notes }),
  };
}

/** Who asked for several pages has to know why there is one. */
function describeNoList(path: readonly string[]): string {
  const where =
    path.length === 0 ? "The answer is no list" : `The answer has no list at \`${path.join(".")}\``;
  return `${where}, so no further pages were asked for. Where the items are, \`pagination.items\` of the configuration says.`;
}

function readPage({ result, arguments: sent, url }: SentPage, path: readonly string[]): Page | undefined {
  if (!isJsonMediaType(result.headers["content-type"] ?? "")) return undefined;
  const answer = parseJsonBytes(result.body);
  const items = answer === undefined ? undefined : itemsAt(answer, path);
  if (answer === undefined || items === undefined) return undefined;
  return { answer, items, headers: result.headers, arguments: sent, url };
}

/** An upstream that names the same page twice would be followed for ever. */
function nextOf(operation: PaginatedOperation, page: Page, seen: Set<string>): NextPage {
  const next = findNextPage(operation, page);
  if (next.kind !== "arguments" && next.kind !== "address") return next;
  const own = Object.keys(next.changed).map((name) => [name, page.arguments[name] ?? null]);
  seen.add(next.kind === "address" ? page.url : JSON.stringify(Object.fromEntries(own)));
  const key = next.kind === "address" ? next.url : JSON.stringify(next.changed);
  if (!seen.has(key)) return next;
  return { kind: "unreachable", reason: "the upstream names the same page as the next one again" };
}

/** The limit that stands in the way of another page, if one does. */
function limitMet(
  { maxItems, maxBytes, endsAt, clock }: PageCollection,
  items: number,
  bytes: number,
): string | undefined {
  if (items >= maxItems) return `${maxItems} items are as many as one call collects`;
  if (bytes >= maxBytes) return `${maxBytes} bytes are as many as one call collects`;
  return clock.now() >= endsAt - reserve ? "the time of the call is over" : undefined;
}

/** The next page, or why there is none. */
async function fetchPage(
  { fetch, signal, clock, endsAt }: PageCollection,
  page: Page,
  next: Extract<NextPage, { kind: "arguments" | "address" }>,
  maxBytes: number,
): Promise<SentPage | string> {
  const over = new AbortController();
  const done = new AbortController();
  if (endsAt !== Number.POSITIVE_INFINITY) {
    void clock.wait(endsAt - reserve - clock.now(), done.signal).then((isOver) => {
      if (isOver) over.abort(new GatewayError("timed_out", "The time of the call is over."));
    });
  }
  const target =
    next.kind === "address"
      ? { arguments: page.arguments, url: next.url }
      : { arguments: { ...page.arguments, ...next.changed }, url: undefined };
  try {
    return await fetch(target, maxBytes, AbortSignal.any([signal, over.signal]));
  } catch (error) {
    if (!(error instanceof GatewayError) || signal.aborted) throw error;
    return over.signal.aborted ? "the time of the call is over" : error.message.replace(/\.$/, "");
  } finally {
    done.abort();
  }
}

function describeRefusal({ status, isError, headers }: HttpResult): string {
  if (!isError) return "the upstream's answer has no list where the items of a page are expected";
  const { "retry-after": wait } = headers;
  return `the upstream answered HTTP ${status}${wait === undefined ? "" : ` (Retry-After: ${wait})`}`;
}

function joined(last: HttpResult, answer: JsonValue): HttpResult {
  const { "content-length": _, "content-type": contentType = "", ...headers } = last.headers;
  return {
    ...last,
    headers: { ...headers, "content-type": essence(contentType) },
    body: new TextEncoder().encode(JSON.stringify(answer)),
  };
}

function summarize(pages: number, items: number, next: NextPage, stopped: string | undefined): PageSummary {
  const hint = next.kind === "arguments" || next.kind === "address" ? next.changed : {};
  const isKnown = next.kind !== "arguments" || next.isCertain;
  return {
    pages,
    items,
    more: isKnown ? next.kind !== "none" : undefined,
    next: Object.keys(hint).length > 0 ? hint : undefined,
    stopped,
  };
}

/** What the caller should know of the pages; nothing where all of them are there. */
function describe(
  { pages, items, more, next, stopped }: PageSummary,
  following: NextPage,
  maxPages: number,
): readonly string[] {
  if (more === false) return [];
  const collected = `${items} ${items === 1 ? "item" : "items"} of ${pages} ${pages === 1 ? "page" : "pages"}`;
  const state =
    stopped !== undefined
      ? `The answer holds ${collected}; then the gateway stopped: ${stopped}. What follows is missing.`
      : following.kind === "unreachable"
        ? `The answer holds ${collected}: ${following.reason}.`
        : `The answer holds ${collected}. There ${more === undefined ? "may be" : "is"} more.`;
  const ways = [
    next && `with ${JSON.stringify(next)} for what follows`,
    // Whoever asked for several has heard of it.
    following.kind !== "unreachable" && stopped === undefined && maxPages > 1
      ? `with \`${pagesArgument}\` (at most ${maxPages}) for several pages at once`
      : undefined,
  ].filter((way) => way !== undefined);
  return [ways.length === 0 ? state : `${state} Call again ${ways.join(", or ")}.`];
}
