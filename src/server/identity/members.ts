import { didYouMean } from "../../did-you-mean.ts";
import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import type { ActsFor } from "../../model/administration.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { Secret } from "../../secret.ts";
import { type Exchange, readJsonObject } from "../exchange.ts";

/**
 * The members of a request body, each read as what it has to be. All are `undefined` where they are absent, and throw
 * `bad_request` with the member's name where they are something else.
 */
export interface Members {
  text(name: string): string | undefined;
  secret(name: string): Secret | undefined;
  truth(name: string): boolean | undefined;
  texts(name: string): readonly string[] | undefined;
  /** An object of strings. */
  textMap(name: string): Readonly<Record<string, string>> | undefined;
  secretMap(name: string): Readonly<Record<string, Secret>> | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  /** `any`, or a list of tenants. */
  actsFor(name: string): ActsFor | undefined;
  /** Milliseconds, of a whole number of seconds or of `90s`, `45m`, `12h` or `30d`; or `never`. */
  lifetime(name: string): number | "never" | undefined;
}

const maxBodyBytes = 64 * 1024;
/** Entries of a list; what is longer is no list of roles, scopes, providers or tools that somebody made. */
const longestList = 1_000;
/** Members of an object of texts. */
const largestMap = 100;
const objectOfTexts = `an object of at most ${largestMap} strings`;
/** A hundred years; what is to last longer is to last for ever. */
const longestSeconds = 100 * 365 * 86_400;
const secondsIn = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Reads the body of a request that may have these members and no others. */
export async function readMembers(exchange: Exchange, known: readonly string[]): Promise<Members> {
  const body = await readJsonObject(exchange, maxBodyBytes);
  refuseUnknown(body, known);
  const read = <Read>(
    name: string,
    expected: string,
    convert: (value: JsonValue) => Read | undefined,
  ): Read | undefined => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (value === undefined) return undefined;
    const result = convert(value);
    if (result !== undefined) return result;
    throw new GatewayError("bad_request", `\`${name}\` must be ${expected}.`);
  };
  return {
    text: (name) => read(name, "a string", asText),
    secret: (name) =>
      read(name, "a string", (value) => (typeof value === "string" ? new Secret(value) : undefined)),
    truth: (name) => read(name, "true or false", (value) => (typeof value === "boolean" ? value : undefined)),
    texts: (name) => read(name, `a list of at most ${longestList} strings`, asTexts),
    textMap: (name) => read(name, objectOfTexts, asTextMap),
    secretMap: (name) =>
      read(name, objectOfTexts, (value) => {
        const texts = asTextMap(value);
        return texts && mapValues(texts, (text) => new Secret(text));
      }),
    choice: (name, choices) =>
      read(name, choices.map((choice) => `\`${choice}\``).join(" or "), (value) =>
        choices.find((choice) => choice === value),
      ),
    actsFor: (name) =>
      read<ActsFor>(name, "`any` or a list of tenants", (value) =>
        value === "any" ? "any" : asTexts(value),
      ),
    lifetime: (name) =>
      read<number | "never">(
        name,
        "a whole number of seconds, a text such as `12h` or `30d`, at most 100 years, or `never`",
        asLifetime,
      ),
  };
}

/** The value of a member that has to be there; throws `bad_request` with its name. */
export function required<Value>(value: Value | undefined, name: string): Value {
  if (value !== undefined) return value;
  throw new GatewayError("bad_request", `\`${name}\` is missing.`);
}

function refuseUnknown(body: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).map((name) => {
    const meant = didYouMean(name, known);
    return `\`${name.slice(0, 100)}\`${meant === undefined ? "" : ` (did you mean \`${meant}\`?)`}`;
  });
  const allowed =
    known.length === 0
      ? "There are none here."
      : `There are ${known.map((name) => `\`${name}\``).join(", ")}.`;
  throw new GatewayError("bad_request", `Unknown in the body: ${names.join(", ")}. ${allowed}`);
}

function asText(value: JsonValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function asTexts(value: JsonValue): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > longestList) return undefined;
  const texts = value.filter((entry) => typeof entry === "string");
  return texts.length === value.length ? texts : undefined;
}

function asTextMap(value: JsonValue): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value) || Object.keys(value).length > largestMap) return undefined;
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return texts.length === Object.keys(value).length ? Object.fromEntries(texts) : undefined;
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  convert: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, convert(value)]));
}

function asLifetime(value: JsonValue): number | "never" | undefined {
  if (value === "never") return "never";
  if (typeof value === "number") return asMilliseconds(value);
  const match = typeof value === "string" ? /^(\d{1,9})([smhd])$/.exec(value) : null;
  const unit = (["s", "m", "h", "d"] as const).find((candidate) => candidate === match?.[2]);
  return unit === undefined ? undefined : asMilliseconds(Number(match?.[1]) * secondsIn[unit]);
}

function asMilliseconds(seconds: number): number | undefined {
  const isLifetime = Number.isInteger(seconds) && seconds > 0 && seconds <= longestSeconds;
  return isLifetime ? seconds * 1_000 : undefined;
}
