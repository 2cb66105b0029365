import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { RecordKind } from "../store/store.ts";

/**
 * By kind of record: members of its value that stand there in the clear and decide where its secrets go, or as what. Whoever could change
 * them would need no key to have the secrets sent elsewhere. What is not named changes nothing of that.
 */
const boundMembers: Readonly<Partial<Record<RecordKind, readonly string[]>>> = {
  credential: ["type", "oauth", "params"],
  client: ["issuer", "redirect_uri", "client_id", "client_auth"],
};

/**
 * The facts of a record that its secrets are sealed for, with the names of the fields that it has: a text that is equal for equal facts,
 * in whatever order they are written, and for no others.
 */
export function boundFacts(kind: RecordKind, value: JsonObject, fields: readonly string[]): string {
  const members = (boundMembers[kind] ?? []).flatMap((name) => {
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    return member === undefined ? [] : [[name, inOrder(member)] as const];
  });
  return JSON.stringify([fields.toSorted(), members]);
}

/** Whether what is sealed for one value of a record opens for the other one, too. */
export function hasSameFacts(kind: RecordKind, first: JsonObject, second: JsonObject): boolean {
  return boundFacts(kind, first, []) === boundFacts(kind, second, []);
}

/** The same JSON, members of objects in one order: stores may give them back in another one. */
function inOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .flatMap((name) => {
        const member = value[name];
        return member === undefined ? [] : [[name, inOrder(member)] as const];
      }),
  );
}
