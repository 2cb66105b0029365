import { GatewayError } from "./errors.ts";
import { asObject } from "./json-object.ts";
import type { ActsFor } from "./model/administration.ts";
import type { JsonValue } from "./model/json.ts";

/**
 * Reads the members of one object, each by what it has to be; `null` is as good as absent. Throws `internal`, naming the member, for
 * what is not as it should be.
 */
export interface Members {
  text(name: string): string;
  optionalText(name: string): string | undefined;
  texts(name: string): readonly string[];
  optionalTexts(name: string): readonly string[] | undefined;
  actsFor(name: string): ActsFor;
  truth(name: string): boolean;
  /** A whole number from 0. */
  count(name: string): number;
  /** ISO 8601, UTC, as it was written. */
  time(name: string): string;
  optionalTime(name: string): string | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice;
  /** Each entry of a list, read by itself. */
  list<Entry>(name: string, read: (entry: JsonValue) => Entry): readonly Entry[];
  /** The text of each member of an object. */
  textMap(name: string): Readonly<Record<string, string>>;
  /** A member that is read by somebody else; `undefined` where it is absent. */
  optional<Read>(name: string, read: (found: JsonValue) => Read): Read | undefined;
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Begins to read an object of an answer of the HTTP API; `what` it is, for messages. */
export function membersOf(value: JsonValue, what: string): Members {
  const object = asObject(value);
  if (object === undefined) throw unreadable(`The ${what} is no object.`);
  const member = (name: string): JsonValue | undefined =>
    Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
  const wrong = (name: string): GatewayError =>
    unreadable(`\`${name}\` of the ${what} is missing or not as it should be.`);
  const optional = <Read>(name: string, read: (found: JsonValue) => Read | undefined): Read | undefined => {
    const found = member(name);
    if (found === undefined) return undefined;
    const result = read(found);
    if (result === undefined) throw wrong(name);
    return result;
  };
  const required = <Read>(name: string, read: (found: JsonValue) => Read | undefined): Read => {
    const result = optional(name, read);
    if (result === undefined) throw wrong(name);
    return result;
  };
  return {
    text: (name) => required(name, asText),
    optionalText: (name) => optional(name, asText),
    texts: (name) => required(name, asTexts),
    optionalTexts: (name) => optional(name, asTexts),
    actsFor: (name) => required<ActsFor>(name, (found) => (found === "any" ? "any" : asTexts(found))),
    truth: (name) => required(name, (found) => (typeof found === "boolean" ? found : undefined)),
    count: (name) => required(name, asCount),
    time: (name) => required(name, asTime),
    optionalTime: (name) => optional(name, asTime),
    choice: (name, choices) => required(name, (found) => choices.find((choice) => choice === found)),
    list: (name, read) => required(name, (found) => (Array.isArray(found) ? found.map(read) : undefined)),
    textMap: (name) => required(name, asTextMap),
    optional: (name, read) => optional(name, read),
  };
}

function asCount(value: JsonValue): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function asText(value: JsonValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function asTexts(value: JsonValue): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((entry) => typeof entry === "string");
  return texts.length === value.length ? texts : undefined;
}

function asTextMap(value: JsonValue): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(asObject(value) ?? {});
  const texts = entries.flatMap(([name, text]) => (typeof text === "string" ? [[name, text] as const] : []));
  return asObject(value) === undefined || texts.length < entries.length
    ? undefined
    : Object.fromEntries(texts);
}

function asTime(value: JsonValue): string | undefined {
  const isTime = typeof value === "string" && timePattern.test(value) && !Number.isNaN(Date.parse(value));
  return isTime ? value : undefined;
}

function unreadable(why: string): GatewayError {
  return new GatewayError("internal", `The answer is none of this version of the gateway: ${why}`);
}
