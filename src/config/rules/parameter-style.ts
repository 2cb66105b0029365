import type { NodePath } from "../../documents/located-node.ts";
import type { Parameter } from "../../model/config-file.generated.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

type Style = NonNullable<Parameter["style"]>;

/** OpenAPI 3.2 section 4.12.2.3. */
const stylesByLocation: Readonly<Record<Parameter["in"], readonly Style[]>> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  querystring: [],
  header: ["simple"],
  cookie: ["form", "cookie"],
  body: [],
};

const styleKeys = ["style", "explode"] as const;

/** How a parameter is written is said once, and in a way that its place has. */
export const parameterStyle: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      const itemPath = [...path, "parameters", index];
      for (const finding of findMisuse(parameter, itemPath)) {
        yield { ...finding, dependsOn: [[...itemPath, "in"]] };
      }
      const { style, in: location } = parameter;
      if (style === undefined || stylesByLocation[location].length === 0) continue;
      const stylePath = [...itemPath, "style"];
      const allowed = stylesByLocation[location];
      const type = typeOf(parameter);
      if (!allowed.includes(style)) {
        yield {
          code: "parameter-style",
          message: `\`${look.written(stylePath)}\` is no style of a ${location} parameter. It has to be ${list(allowed)}.`,
          path: stylePath,
          dependsOn: [[...itemPath, "in"]],
        };
      } else if (style === "deepObject" && type !== undefined && type !== "object") {
        yield {
          code: "parameter-style",
          message: `\`deepObject\` writes the members of an object, and this parameter's type is \`${type}\`. Write \`type: object\`, or choose another style.`,
          path: stylePath,
          dependsOn: [
            [...itemPath, "type"],
            [...itemPath, "schema"],
          ],
        };
      }
    }
  }
};

/** Keys that have no meaning where they stand. */
function* findMisuse(parameter: Parameter, itemPath: NodePath): Generator<Finding> {
  const { in: location, content } = parameter;
  const find = (key: string, message: string): Finding => ({
    code: "parameter-style",
    message: `\`${key}\` ${message}`,
    path: [...itemPath, key],
    target: "key",
  });
  const given = (key: (typeof styleKeys)[number] | "allow_reserved" | "content"): boolean =>
    parameter[key] !== undefined;
  if (location === "body") {
    const keys = [...styleKeys, "allow_reserved", "content"] as const;
    for (const key of keys.filter(given)) {
      yield find(key, "is for parameters. How a member of the body is sent stands in `encoding` of `body`.");
    }
    return;
  }
  for (const key of styleKeys.filter(given)) {
    if (location === "querystring") {
      yield find(
        key,
        "has no meaning for a whole query string, which is written as `content` says. Remove it.",
      );
    } else if (content !== undefined) {
      yield find(
        key,
        "stands beside `content`, which says already how the value is written. Keep one of the two.",
      );
    }
  }
  if (given("allow_reserved") && location !== "query" && location !== "path") {
    yield find("allow_reserved", `is for queries and paths, and this is a ${location} parameter. Remove it.`);
  }
}

/** The type of its values as far as that is said. */
function typeOf({ type, items, properties, enum: values, schema }: Parameter): string | undefined {
  if (schema !== undefined) return typeof schema["type"] === "string" ? schema["type"] : undefined;
  return type ?? (items ? "array" : properties ? "object" : values ? undefined : "string");
}

function list(styles: readonly Style[]): string {
  const quoted = styles.map((style) => `\`${style}\``);
  return quoted.length === 1 ? String(quoted[0]) : `one of ${quoted.join(", ")}`;
}
