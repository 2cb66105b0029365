/** An API token of the gateway, whatever stands around it. */
const form = /gst_api_[A-Za-z0-9_-]{20}/;
/** Words that may be something encoded, of both alphabets (RFC 4648, sections 4 and 5). */
const encoded = /[A-Za-z0-9+/_-]{28,}/g;

/**
 * Whether a text holds an API token of the gateway: as it is, as the user or password of basic authentication and other Base64, or with
 * escapes of URLs. What is sent to upstreams must not: they could call the gateway with it.
 */
export function holdsGatewayToken(text: string): boolean {
  const plain = withoutEscapes(text);
  if (form.test(text) || form.test(plain)) return true;
  return [...plain.matchAll(encoded)].some(([word]) =>
    form.test(Buffer.from(word, "base64").toString("latin1")),
  );
}

function withoutEscapes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
