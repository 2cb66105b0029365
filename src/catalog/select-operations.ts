import type { Operation } from "../model/catalog.ts";
import { compileGlob } from "./glob.ts";

/** A compiled pattern of `select`. */
export interface SelectionPattern {
  readonly text: string;
  matches(operation: Operation): boolean;
}

const methodAndPath = /^([A-Za-z*]+)\s+(\/.*)$/;

/**
 * Compiles one pattern of `select.include` or `select.exclude`: an operation id, a glob over ids (`delete-*`), a method and
 * a glob over paths (`GET /v1/users/**`), or `tag:NAME`. In globs `*` stands for any run of characters, in paths for one
 * without `/` (`**` crosses them); `?` for one character.
 */
export function compilePattern(text: string): SelectionPattern {
  const tag = text.startsWith("tag:") ? text.slice("tag:".length) : undefined;
  if (tag !== undefined) {
    const isTag = compileGlob(tag, "name");
    return { text, matches: (operation) => operation.tags.some(isTag) };
  }
  const route = methodAndPath.exec(text);
  if (route?.[1] !== undefined && route[2] !== undefined) {
    const isMethod = compileGlob(route[1].toUpperCase(), "name");
    const isPath = compileGlob(route[2], "path");
    return {
      text,
      matches: ({ method, path }) => isMethod(method.toUpperCase()) && isPath(path),
    };
  }
  const isId = compileGlob(text, "name");
  return { text, matches: (operation) => isId(operation.id) };
}

/** True when `include` (or its absence) lets an operation in and `exclude` does not keep it out. */
export function isSelected(
  operation: Operation,
  include: readonly SelectionPattern[],
  exclude: readonly SelectionPattern[],
): boolean {
  if (include.length > 0 && !include.some((pattern) => pattern.matches(operation))) return false;
  return !exclude.some((pattern) => pattern.matches(operation));
}
