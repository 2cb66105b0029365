import type { Tool } from "../model/catalog.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import { type CelValue, toCelValue } from "./cel.ts";
import type { Variables } from "./check-expression.ts";

/** A principal or a tool as conditions see it. */
export interface PolicySubject {
  readonly members: JsonObject;
  /** Made when a condition is evaluated. */
  readonly value: CelValue;
}

/** The arguments of one call as conditions see them. */
export interface PolicyArguments {
  /** `undefined` where there are more values than are ever looked at. */
  readonly value: CelValue | undefined;
  /** Values in them, all levels together. */
  readonly nodes: number;
  /** Of all texts and names in them, in UTF-16 units. */
  readonly characters: number;
}

/** All that conditions may read. */
export const subjectVariables = {
  principal: { kind: "text", id: "text", name: "text", tenant: "text", home: "text", roles: "list" },
  tool: {
    ...{
      name: "text",
      operation: "text",
      provider: "text",
      surface: "text",
      tags: "list",
      connection: "text",
    },
    ...{ read_only: "bool", destructive: "bool", idempotent: "bool", open_world: "bool" },
  },
  arguments: undefined,
} satisfies Variables;

/** The roles of a principal. Whoever does not sign in has one too: `anonymous`. */
export function rolesOf({ kind, roles }: Pick<Principal, "kind" | "roles">): readonly string[] {
  return kind === "anonymous" && !roles.includes("anonymous") ? [...roles, "anonymous"] : roles;
}

/** What conditions see of a principal. */
export function principalSubject(principal: Principal): PolicySubject {
  const { kind, id, name, tenant, home } = principal;
  const roles = rolesOf(principal);
  return subjectOf({ kind, id, name, tenant, home, roles } satisfies Members<"principal">);
}

/** What conditions see of a tool. A tool without connection has an empty text there. */
export function toolSubject(tool: Tool): PolicySubject {
  const { name, operation, provider, surface, tags, effects } = tool;
  return subjectOf({
    ...{ name, operation, provider, surface, tags, connection: tool.connection ?? "" },
    read_only: effects.readOnly,
    destructive: effects.destructive,
    idempotent: effects.idempotent,
    open_world: effects.openWorld,
  } satisfies Members<"tool">);
}

/** What conditions see where only the provider of a tool is known: no other member may be read. */
export function providerSubject(provider: string): PolicySubject {
  return subjectOf({ provider });
}

/** Turning more values than these into the form of expressions would hold the thread. */
const mostValues = 100_000;

/** What conditions see of a call's arguments. */
export function policyArguments(callArguments: JsonObject): PolicyArguments {
  let nodes = 0;
  let characters = 0;
  const waiting: JsonValue[] = [callArguments];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    nodes += 1;
    if (typeof value === "string") characters += value.length;
    if (value === null || typeof value !== "object") continue;
    if (!Array.isArray(value)) for (const name of Object.keys(value)) characters += name.length;
    if (nodes + waiting.length > mostValues) return { value: undefined, nodes, characters };
    for (const inner of Object.values<JsonValue>(value)) waiting.push(inner);
  }
  return { value: nodes > mostValues ? undefined : toCelValue(callArguments), nodes, characters };
}

type Members<Variable extends "principal" | "tool"> = Readonly<
  Record<keyof (typeof subjectVariables)[Variable], JsonValue>
>;

function subjectOf(members: JsonObject): PolicySubject {
  let value: CelValue | undefined;
  return {
    members,
    get value() {
      value ??= toCelValue(members);
      return value;
    },
  };
}
