import { GatewayError } from "../../errors.ts";
import type { HttpStream } from "../../upstream/http-client.ts";
import { nameOfUrl } from "../../upstream/name-of-url.ts";
import { readLimited } from "../../upstream/read-limited.ts";
import { retryAfter } from "../http/retry.ts";
import { parseMessage } from "./parse-message.ts";
import { UpstreamRefusal } from "./transport.ts";

const maxRefusalBytes = 64 * 1024;

/**
 * Turns an answer with a status other than 2xx into an error; reads its body, so that the connection is free again.
 *
 * @param url what was asked for; redirects are relative to it.
 */
export async function readRefusal(stream: HttpStream, url: string): Promise<UpstreamRefusal> {
  const text = await readText(stream);
  const message = parseMessage(text);
  const { location, "retry-after": wait } = stream.headers;
  // Servers that redirect often repeat the query, and with it a key.
  const target = location === undefined ? undefined : URL.parse(location, url)?.href;
  const redirect = target === undefined ? undefined : nameOfUrl(target);
  const refusal = { status: stream.status, redirect, retryAfter: retryAfter(wait, Date.now()) };
  if (message?.kind !== "error") return new UpstreamRefusal(refusal);
  return new UpstreamRefusal({ ...refusal, rpc: message.error, id: message.id });
}

async function readText(stream: HttpStream): Promise<string> {
  try {
    return Buffer.from(await readLimited(stream.body, maxRefusalBytes)).toString("utf8");
  } catch (error) {
    if (error instanceof GatewayError && error.code === "cancelled") throw error;
    // The status says enough; a body that is too large or breaks off adds nothing to it.
    return "";
  }
}
