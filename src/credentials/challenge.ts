/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** In lower case, such as `bearer`. */
  readonly scheme: string;
  /** By name in lower case, unquoted; empty for a challenge with none, or with a token68 instead. */
  readonly params: ReadonlyMap<string, string>;
}

const longestHeader = 16_384;
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/sy;
const equals = /[ \t]*=[ \t]*/y;
const spaces = /[ \t]+/y;
const separators = /[ \t,]*/y;

/**
 * The challenges of a `WWW-Authenticate` header (RFC 9110, section 11.6.1), of several ones joined by commas too. Reads until the first
 * thing that is none; a challenge with that in it is left out, as is one that has a parameter twice, which nobody can tell apart.
 */
export function readChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > longestHeader) return challenges;
  const text = new Cursor(header);
  text.take(separators);
  while (!text.isAtEnd) {
    const scheme = text.take(token)?.[0].toLowerCase();
    if (scheme === undefined) return challenges;
    const params = text.take(spaces) === undefined ? new Map<string, string>() : readParams(text);
    if (!text.isAtEnd && !text.isAt(",") && !text.isPastComma) return challenges;
    if (params !== undefined) challenges.push({ scheme, params });
    text.take(separators);
  }
  return challenges;
}

/**
 * The scopes that a refusal asks for (RFC 6750, section 3); `undefined` for one that does not say `insufficient_scope`. What has not the
 * form of a scope (RFC 6749, section 3.3) is left out.
 */
export function readWantedScopes(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return undefined;
  const challenge = readChallenges(header).find(({ params }) => params.get("error") === "insufficient_scope");
  if (challenge === undefined) return undefined;
  const scopes = (challenge.params.get("scope") ?? "").split(" ").filter((scope) => scopeForm.test(scope));
  return [...new Set(scopes)].slice(0, mostScopes);
}

const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;
const mostScopes = 100;

/** Reads parameters up to the next challenge or the end; `undefined`: one of them is there twice. */
function readParams(text: Cursor): ReadonlyMap<string, string> | undefined {
  const params = new Map<string, string>();
  let isDoubled = false;
  for (;;) {
    const param = readParam(text);
    if (param === undefined) {
      if (params.size === 0) text.take(token68);
      text.take(spaces);
      break;
    }
    isDoubled ||= params.has(param.name);
    params.set(param.name, param.value);
    text.take(spaces);
    if (!text.isAt(",")) break;
    text.take(separators);
  }
  return isDoubled ? undefined : params;
}

/** Reads `name=value`, or nothing at all. */
function readParam(text: Cursor): { readonly name: string; readonly value: string } | undefined {
  const start = text.position;
  const name = text.take(token)?.[0].toLowerCase();
  if (name !== undefined && text.take(equals) !== undefined) {
    const plain = text.take(token)?.[0];
    const value = plain ?? text.take(quoted)?.[1]?.replaceAll(/\\(.)/gs, "$1");
    if (value !== undefined && text.isAtBoundary) return { name, value };
  }
  text.position = start;
  return undefined;
}

/** A place in a text that moves over what it takes. */
class Cursor {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#text.length;
  }

  /** Whether a value may end here. */
  get isAtBoundary(): boolean {
    return this.isAtEnd || /[ \t,]/.test(this.#text.charAt(this.position));
  }

  /** Whether nothing but blanks stands between this place and the comma before it. */
  get isPastComma(): boolean {
    let index = this.position - 1;
    while (index >= 0 && /[ \t]/.test(this.#text.charAt(index))) index -= 1;
    return this.#text.charAt(index) === ",";
  }

  isAt(character: string): boolean {
    return this.#text.charAt(this.position) === character;
  }

  /** What a sticky expression finds right here; nothing moves when it finds nothing. */
  take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.position;
    const match = expression.exec(this.#text);
    if (match === null) return undefined;
    this.position = expression.lastIndex;
    return match;
  }
}
