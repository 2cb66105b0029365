import { asObject, isJsonObject } from "../../json-object.ts";
import type { HttpBinding } from "../../model/catalog.ts";
import type { Pagination, PaginationParameter } from "../../model/config.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { holdsDotSegment } from "./bind-request.ts";
import { isList, partAt } from "./json-part.ts";
import { nextLink } from "./link-header.ts";

/** One page of a paginated answer, and how it was asked for. */
export interface Page {
  readonly answer: JsonValue;
  readonly items: readonly JsonValue[];
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly arguments: JsonObject;
  /** Without the credential. */
  readonly url: string;
}

/** What follows a page. */
export type NextPage =
  | { readonly kind: "none" }
  | { /** There is more, but no way to it. */ readonly kind: "unreachable"; readonly reason: string }
  | {
      readonly kind: "arguments";
      /** The arguments that change. */
      readonly changed: JsonObject;
      /** False when only asking can tell whether there is such a page. */
      readonly isCertain: boolean;
    }
  | {
      readonly kind: "address";
      readonly url: string;
      /** The arguments that mean the same, as far as the address tells; maybe none. */
      readonly changed: JsonObject;
    };

/** What a paginated operation is called by. */
export interface PaginatedOperation {
  readonly binding: HttpBinding;
  readonly pagination: Pagination;
  readonly inputSchema: JsonSchema;
}

/** Cursors and addresses beyond it are no use in a request line. */
const longestText = 8_192;

/** Finds out what follows a page. Whatever the answer holds, what comes of it is an argument, or an address of the same API. */
export function findNextPage(operation: PaginatedOperation, page: Page): NextPage {
  const { pagination } = operation;
  const more = pagination.more === undefined ? undefined : partAt(page.answer, pagination.more);
  if (more === false) return { kind: "none" };
  const hasMore = more === true;
  const { next } = pagination;
  switch (next.style) {
    case "cursor":
      return afterCursor(operation, page, next.parameter, partAt(page.answer, next.cursor), hasMore);
    case "link": {
      const { link } = page.headers;
      const written =
        next.url === undefined ? link && nextLink(link) : (partAt(page.answer, next.url) ?? undefined);
      if (written === undefined || written === "") return nothing(hasMore);
      return typeof written === "string" ? atAddress(operation, page, written) : unreachable("no URL");
    }
    case "offset":
    case "page": {
      if (page.items.length === 0) return nothing(hasMore);
      if (!hasMore && isShort(operation, page)) return { kind: "none" };
      const first = next.style === "page" ? next.firstPage : 0;
      const current = Number(argumentAt(operation.binding, page.arguments, next.parameter) ?? first);
      const step = next.style === "page" ? 1 : page.items.length;
      if (!Number.isSafeInteger(current + step)) return unreachable("its number can't be told");
      return withArgument(operation, page, next.parameter, current + step, hasMore);
    }
  }
}

/** The arguments of a call with the page size of the file, where the caller gives none. */
export function withPageSize(binding: HttpBinding, callArguments: JsonObject): JsonObject {
  const { limitParameter, pageSize } = binding.pagination ?? {};
  if (limitParameter === undefined || pageSize === undefined) return callArguments;
  if (givenAt(binding, callArguments, limitParameter) !== undefined) return callArguments;
  return { ...callArguments, ...changeAt(binding, callArguments, limitParameter, pageSize) };
}

function nothing(hasMore: boolean): NextPage {
  return hasMore ? unreachable("it does not say how to ask for it") : { kind: "none" };
}

function unreachable(reason: string): NextPage {
  return { kind: "unreachable", reason: `the upstream says that there is another page, but ${reason}` };
}

function afterCursor(
  operation: PaginatedOperation,
  page: Page,
  parameter: PaginationParameter,
  found: JsonValue | undefined,
  hasMore: boolean,
): NextPage {
  const cursor = asPlain(found);
  if (cursor === undefined || cursor === null || cursor === "" || typeof cursor === "boolean")
    return nothing(hasMore);
  const isText = typeof cursor === "string" || typeof cursor === "number";
  if (!isText && (parameter.in === "query" || operation.binding.body?.format !== "json"))
    return unreachable("its cursor is no text");
  if (JSON.stringify(cursor).length > longestText) return unreachable("its cursor is too long");
  return withArgument(operation, page, parameter, cursor, true);
}

/** Long numbers that are kept digit by digit can't be computed with; as text they are what goes into a request. */
function asPlain(value: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(value)) return value;
  const text = JSON.stringify(value);
  return text.startsWith("{") ? value : text;
}

function withArgument(
  { binding, inputSchema }: PaginatedOperation,
  page: Page,
  parameter: PaginationParameter,
  value: JsonValue,
  isCertain: boolean,
): NextPage {
  const change = changeAt(binding, page.arguments, parameter, value);
  const changed = Object.entries(change).map(([name, given]) => [name, suited(given, name, inputSchema)]);
  return changed.length === 0
    ? unreachable("no argument takes its cursor")
    : { kind: "arguments", changed: Object.fromEntries(changed), isCertain };
}

/** True for a page with fewer items than the size of a full one, which is then the last. */
function isShort({ binding, pagination }: PaginatedOperation, page: Page): boolean {
  const { limitParameter, pageSize } = pagination;
  if (pageSize === undefined) return false;
  const given =
    limitParameter === undefined ? undefined : argumentAt(binding, page.arguments, limitParameter);
  const asked = typeof given === "number" ? given : pageSize;
  return page.items.length < Math.min(asked, pageSize);
}

/** Only what stays with the origin of the API and below its path is followed: the credential goes along. */
function atAddress({ binding, inputSchema }: PaginatedOperation, page: Page, written: string): NextPage {
  const target = written.length > longestText ? null : URL.parse(written, page.url);
  if (target === null) return unreachable("its address is none");
  const base = new URL(binding.baseUrl);
  const root = base.pathname.replace(/\/+$/, "");
  const stays =
    target.origin === base.origin &&
    target.username === "" &&
    target.password === "" &&
    (target.pathname === root || target.pathname.startsWith(`${root}/`)) &&
    // Servers behind this one may read such segments after decoding.
    !holdsDotSegment(target.pathname) &&
    // What is sent by other methods is meant for one path only.
    (binding.method === "GET" || binding.method === "HEAD" || target.pathname === new URL(page.url).pathname);
  if (!stays) return unreachable(`its address (${target.origin}) leads away from ${binding.baseUrl}`);
  target.hash = "";
  const before = new URL(page.url).searchParams;
  const changed = binding.parameters.flatMap(
    ({ argument, name, in: location, content }): readonly (readonly [string, JsonValue])[] => {
      const [value, ...others] = target.searchParams.getAll(name);
      if (argument === undefined || location !== "query" || content !== undefined) return [];
      if (value === undefined || others.length > 0 || value === before.get(name)) return [];
      return [[argument, suited(value, argument, inputSchema)]];
    },
  );
  return { kind: "address", url: target.href, changed: Object.fromEntries(changed) };
}

/** The value in the type that the argument has. */
function suited(value: JsonValue, argument: string, inputSchema: JsonSchema): JsonValue {
  const schema = asObject(asObject(inputSchema["properties"])?.[argument]);
  const types = [schema?.["type"]].flat();
  const takes = (type: string): boolean => types.includes(type);
  if (typeof value === "number" && takes("string") && !takes("integer") && !takes("number"))
    return String(value);
  const isNumeric = typeof value === "string" && /^-?(?:0|[1-9]\d{0,14})$/.test(value);
  return isNumeric && !takes("string") && (takes("integer") || takes("number")) ? Number(value) : value;
}

/** The argument's value in this call: what the caller gave, else what is sent in its place. */
function argumentAt(
  binding: HttpBinding,
  callArguments: JsonObject,
  parameter: PaginationParameter,
): JsonValue | undefined {
  return givenAt(binding, callArguments, parameter) ?? slotOf(binding, parameter)?.default;
}

function givenAt(
  binding: HttpBinding,
  callArguments: JsonObject,
  parameter: PaginationParameter,
): JsonValue | undefined {
  const slot = slotOf(binding, parameter);
  if (slot === undefined) return undefined;
  const given = Object.hasOwn(callArguments, slot.argument) ? callArguments[slot.argument] : undefined;
  return slot.isMember ? asObject(given)?.[parameter.name] : (given ?? undefined);
}

/** The arguments that change when the parameter gets this value; none where no argument is for it. */
function changeAt(
  binding: HttpBinding,
  callArguments: JsonObject,
  parameter: PaginationParameter,
  value: JsonValue,
): JsonObject {
  const slot = slotOf(binding, parameter);
  if (slot === undefined) return {};
  if (!slot.isMember) return { [slot.argument]: value };
  return { [slot.argument]: { ...asObject(callArguments[slot.argument]), [parameter.name]: value } };
}

/** The argument that a parameter comes from: its own, or as a member of the whole body's. */
function slotOf(
  { parameters, body }: HttpBinding,
  { name, in: location }: PaginationParameter,
):
  | { readonly argument: string; readonly isMember: boolean; readonly default: JsonValue | undefined }
  | undefined {
  if (location === "body" && body?.source.kind === "argument")
    return { argument: body.source.argument, isMember: true, default: undefined };
  const found =
    location === "query"
      ? parameters.find((parameter) => parameter.in === "query" && parameter.name === name)
      : body?.source.kind === "members"
        ? body.source.members.find((member) => member.name === name)
        : undefined;
  if (found?.argument === undefined) return undefined;
  return { argument: found.argument, isMember: false, default: found.default };
}

/** The items of an answer; `undefined` where there is no list. */
export function itemsAt(answer: JsonValue, path: readonly string[]): readonly JsonValue[] | undefined {
  const items = partAt(answer, path);
  return isList(items) ? items : undefined;
}
