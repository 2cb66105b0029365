/** Percent-encodes everything outside the unreserved characters of RFC 3986 section 2.3, as UTF-8. */
export function encodeValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, hexadecimal);
}

/**
 * Encodes a query value whose declaration allows reserved characters (`allowReserved`).
 * `#`, `&`, `+` and `%` are encoded all the same: they would end the value or change its meaning.
 */
export function encodeReservedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /%(?:3A|2F|3F|5B|5D|40|24|2C|3B|3D)/g,
    decodeURIComponent,
  );
}

/** Encodes a name in a query or form, leaving brackets and the other usual punctuation of parameter names readable. */
export function encodeName(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%(?:5B|5D|24|3A|40|2C|2F)/g, decodeURIComponent);
}

/** Encodes what may not stand in the literal part of a path template, keeping escapes that are already there. */
export function encodeLiteralPath(text: string): string {
  return text
    .toWellFormed()
    .replace(/%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (character) =>
      character === "%" ? "%25" : encodeURIComponent(character).replace(/[!'()*]/g, hexadecimal),
    );
}

function hexadecimal(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
