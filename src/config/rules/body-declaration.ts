import { didYouMean } from "../../did-you-mean.ts";
import type { NodePath } from "../../documents/located-node.ts";
import { isJsonObject } from "../../json-object.ts";
import type { Body, Operation } from "../../model/config-file.generated.ts";
import type { JsonValue } from "../../model/json.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** A body is described once, and in a way that its content type has a use for. */
export const bodyDeclaration: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    const { body } = operation;
    if (!body) continue;
    const bodyPath = [...path, "body"];
    const parameters = operation.parameters ?? [];
    const first = parameters.findIndex((parameter) => parameter.in === "body");
    const type = body.content_type ?? "application/json";
    if (first !== -1) {
      yield* findContradiction(body, bodyPath, [...path, "parameters", first]);
      if (body.content_type !== undefined && !hasMembers(type)) {
        yield {
          code: "body-declaration",
          message: `A body of \`${look.written([...bodyPath, "content_type"])}\` has no members, so no parameter can be \`in: body\`. Describe it as a whole by \`schema\`.`,
          path: [...bodyPath, "content_type"],
          related: [{ message: "This parameter is a member.", path: [...path, "parameters", first, "in"] }],
          dependsOn: [[...path, "parameters", first, "in"]],
        };
      }
    }
    if (body.encoding === undefined) continue;
    if (!isForm(type) && !isMultipart(type)) {
      yield {
        code: "body-declaration",
        message: `\`encoding\` is for the members of forms and of multipart, and this body is \`${body.content_type === undefined ? type : look.written([...bodyPath, "content_type"])}\`. Remove it, or choose another \`content_type\`.`,
        path: [...bodyPath, "encoding"],
        target: "key",
        dependsOn: [[...bodyPath, "content_type"]],
      };
      continue;
    }
    const names = memberNames(operation);
    for (const [name, encoding] of Object.entries(body.encoding)) {
      const encodingPath = [...bodyPath, "encoding", name];
      if (names !== undefined && !names.includes(name)) {
        const suggestion = didYouMean(name, names);
        const remedy =
          suggestion === undefined ? "Describe it there, or remove it." : `Did you mean \`${suggestion}\`?`;
        yield {
          code: "body-declaration",
          message: `The body has no member \`${name}\`. ${remedy}`,
          path: encodingPath,
          target: "key",
          dependsOn: [
            [...bodyPath, "schema"],
            [...path, "parameters"],
          ],
        };
      } else if (encoding.file === true && isForm(type)) {
        yield {
          code: "body-declaration",
          message: "A form has no files. Write `content_type: multipart/form-data`.",
          path: [...encodingPath, "file"],
          target: "key",
          dependsOn: [[...bodyPath, "content_type"]],
        };
      }
    }
  }
};

function* findContradiction(body: Body, bodyPath: NodePath, memberPath: NodePath): Generator<Finding> {
  for (const key of ["schema", "required", "description"] as const) {
    if (body[key] === undefined) continue;
    yield {
      code: "body-declaration",
      message: `\`${key}\` describes the body as a whole, and parameters \`in: body\` describe its members. Keep one of the two.`,
      path: [...bodyPath, key],
      target: "key",
      related: [{ message: "This parameter is a member.", path: [...memberPath, "in"] }],
      dependsOn: [[...memberPath, "in"]],
    };
  }
}

/** The members of a body, if all of them are known. */
function memberNames({ body, parameters = [] }: Operation): readonly string[] | undefined {
  const members = parameters.filter((parameter) => parameter.in === "body").map(({ name }) => name);
  // Unknown to the generated types, but it comes from a parsed file and is JSON.
  const schema = body?.schema as JsonValue | undefined;
  if (schema === undefined) return members.length > 0 ? members : undefined;
  if (!isJsonObject(schema) || !isJsonObject(schema["properties"])) return undefined;
  const isWhole = ["$ref", "allOf", "anyOf", "oneOf", "additionalProperties", "patternProperties"].every(
    (keyword) => schema[keyword] === undefined || schema[keyword] === false,
  );
  return isWhole ? Object.keys(schema["properties"]) : undefined;
}

function hasMembers(type: string): boolean {
  return isForm(type) || isMultipart(type) || /^[^;]*[/+]json\s*(?:;|$)/i.test(type);
}

function isForm(type: string): boolean {
  return /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type);
}

function isMultipart(type: string): boolean {
  return /^multipart\//i.test(type);
}
