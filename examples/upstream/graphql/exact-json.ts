/** `JSON` with what ES2026 adds to it; Node has it, the type library does not yet. */
const sourceJson = JSON as unknown as {
  rawJSON(digits: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

/** Parses JSON; whole numbers that a double can't hold become bigints. */
export function parseJson(text: string): unknown {
  return sourceJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? "")
      ? BigInt(source ?? "")
      : value,
  );
}

/** Writes JSON; bigints become numbers of as many digits. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "bigint" ? sourceJson.rawJSON(String(member)) : member,
  );
}
