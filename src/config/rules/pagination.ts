import type { NodePath } from "../../documents/located-node.ts";
import type { Pagination } from "../../model/config-file.generated.ts";
import { eachOperation } from "../each-operation.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

type Key = Exclude<keyof Pagination, "style">;

const needed: Readonly<Record<Pagination["style"], readonly Key[]>> = {
  cursor: ["parameter", "next"],
  offset: ["parameter"],
  page: ["parameter"],
  link: [],
};

const foreign: Readonly<Record<Pagination["style"], readonly Key[]>> = {
  cursor: ["first_page"],
  offset: ["next", "first_page"],
  page: ["next"],
  link: ["parameter", "first_page"],
};

/** A pagination has the keys that its style needs, and none that say nothing with it. */
export const pagination: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    yield* check(provider.pagination, [...path, "pagination"]);
    for (const [id, operation] of Object.entries(provider.allowed_operations ?? {})) {
      yield* check(operation?.pagination, [...path, "allowed_operations", id, "pagination"]);
    }
  }
  for (const { operation, path } of eachOperation(file)) {
    yield* check(operation.pagination, [...path, "pagination"]);
  }
};

function* check(settings: Pagination | undefined, path: NodePath): Generator<Finding> {
  if (settings === undefined) return;
  const { style } = settings;
  const dependsOn = [[...path, "style"]];
  for (const key of needed[style]) {
    if (settings[key] !== undefined) continue;
    const message = `Style \`${style}\` needs \`${key}\`, ${meaning(key)}.`;
    yield { code: "pagination", message, path, target: "key", dependsOn: [...dependsOn, [...path, key]] };
  }
  for (const key of foreign[style]) {
    if (settings[key] === undefined) continue;
    const message = `\`${key}\` says nothing with style \`${style}\`. Remove it, or choose another style.`;
    yield { code: "pagination", message, path: [...path, key], target: "key", dependsOn };
  }
  if (settings.page_size !== undefined && settings.limit_parameter === undefined && style === "cursor") {
    yield {
      code: "pagination",
      message:
        "`page_size` is sent as `limit_parameter`, which is missing. Name the parameter, or remove the size.",
      path: [...path, "page_size"],
      target: "key",
      dependsOn: [...dependsOn, [...path, "limit_parameter"]],
    };
  }
}

function meaning(key: Key): string {
  return key === "next"
    ? "the path to the next cursor in the answer"
    : "the name of the parameter that asks for a page";
}
