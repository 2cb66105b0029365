/** True when two addresses have one origin; false where that is not known before a connection fills an address in. */
export function isSameOrigin(first: string, second: string): boolean {
  const origin = URL.parse(first)?.origin;
  return origin !== undefined && origin === URL.parse(second)?.origin;
}
