import { pagePath } from "../page-path.ts";

/** The page to go on with after signing in, as a page's query names it; whatever is none of ours counts as none. */
export function readNext(query: string): string | undefined {
  const [next, ...more] = new URLSearchParams(query).getAll("next");
  return next === undefined || next === "" || more.length > 0 ? undefined : pagePath(next);
}
