/** A place in a value, as the steps from the inside out; `undefined` stands for the root. */
export interface Location {
  readonly outer: Location | undefined;
  readonly key: string | number;
}

/** The JSON Pointer (RFC 6901) of a place, "" for the root. */
export function pointerOf(location: Location | undefined): string {
  return keysOf(location)
    .map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}

/**
 * A place as people and language models read it, such as `address.street` or `items[3].name`; "" for the root.
 *
 * Keys may come from the caller, so each is cut at 64 characters and loses what can't be seen; a deep place shows its end.
 */
export function readableLocation(location: Location | undefined): string {
  let text = "";
  for (const key of keysOf(location)) {
    if (typeof key === "number") text += `[${key}]`;
    else if (plainKey.test(key)) text += text === "" ? key : `.${key}`;
    else text += text === "" ? readableName(key) : `["${readableName(key)}"]`;
  }
  return text.length > longestText ? `…${text.slice(1 - longestText)}` : text;
}

/** A name out of the caller's arguments or out of a foreign schema, safe to print between backticks. */
export function readableName(name: string): string {
  const visible = name.slice(0, longestName).replaceAll(invisible, "");
  return name.length > longestName ? `${visible}…` : visible;
}

const longestName = 64;
const longestText = 300;
const plainKey = /^[\p{L}_$][\p{L}\p{N}_$-]{0,63}$/u;

/** Control, format, surrogate and unassigned characters, line ends, and the backtick, which would end the quotation. */
const invisible = /[\p{C}\p{Zl}\p{Zp}`]/gu;

function keysOf(location: Location | undefined): readonly (string | number)[] {
  const keys: (string | number)[] = [];
  for (let step = location; step !== undefined; step = step.outer) keys.push(step.key);
  return keys.reverse();
}
