import { spellingsOf } from "../spellings.ts";

/** A token of the gateway, whatever stands around it: of the API, or of its authorization server for access, refresh or as a code. */
const form = /gst_(?:api|oat|ort|oac)_[A-Za-z0-9_-]{20}/;

/**
 * Whether a text holds a token of the gateway: as it is, as the user or password of basic authentication and other Base64, or with
 * escapes of URLs. What is sent to upstreams must not: they could call the gateway with it.
 */
export function holdsGatewayToken(text: string): boolean {
  return spellingsOf(text).some((spelling) => form.test(spelling));
}
