import { parsePathTemplate, templateVariables } from "../http/path-template.ts";
import { encodeLiteralPath } from "../http/percent-encode.ts";

/** A key of `paths` as it is put on the wire. */
export interface PathTemplate {
  /** Starts with `/`; variables as `{name}`; a fixed query may follow. */
  readonly path: string;
  /** Names of the variables in the path. */
  readonly variables: readonly string[];
  /** Variables whose values may hold slashes: `{+name}` (RFC 6570 reserved expansion), `{name+}` of API Gateway, `{name*}`. */
  readonly reserved: readonly string[];
  /** Variables in the key's query part, which are query parameters. */
  readonly queryVariables: readonly { readonly name: string; readonly variable: string }[];
}

/**
 * Takes a key of `paths` apart: a fragment, which only tells operations apart, is dropped; of a query part, the fixed
 * pairs stay and those with a variable become parameters.
 *
 * @param declared names of the path parameters, which may have the sign too. Without them, one at the end is part of the name.
 */
export function normalizePath(key: string, declared?: readonly string[]): PathTemplate {
  const withoutFragment = key.replace(/#.*$/s, "");
  const mark = queryStart(withoutFragment);
  const written = mark === -1 ? withoutFragment : withoutFragment.slice(0, mark);
  const query = mark === -1 ? "" : withoutFragment.slice(mark + 1);
  const reserved: string[] = [];
  const path = written.replace(
    /\{(\+?)([^{}]+?)([+*]?)\}/g,
    (expression, before: string, name: string, after: string) => {
      if (before === after || (after !== "" && declared === undefined)) return expression;
      const whole = expression.slice(1, -1);
      const meant = declared?.includes(whole) ? whole : name;
      reserved.push(meant);
      return `{${meant}}`;
    },
  );
  const queryVariables: { name: string; variable: string }[] = [];
  const fixed = query.split("&").filter((pair) => {
    const [name = "", value = ""] = pair.split("=", 2);
    const variable = templateVariables(value)[0];
    if (variable !== undefined) queryVariables.push({ name, variable });
    return pair !== "" && variable === undefined;
  });
  const absolute = path.startsWith("/") ? path : `/${path}`;
  return {
    path: fixed.length === 0 ? absolute : `${absolute}?${fixed.map(encodeLiteralPath).join("&")}`,
    variables: templateVariables(absolute),
    reserved,
    queryVariables,
  };
}

/** The `?` that begins the query; not one inside of braces. */
function queryStart(path: string): number {
  let offset = 0;
  for (const part of parsePathTemplate(path)) {
    if (part.kind === "variable") {
      offset += part.name.length + 2;
      continue;
    }
    const mark = part.text.indexOf("?");
    if (mark !== -1) return offset + mark;
    offset += part.text.length;
  }
  return -1;
}
