import { IncomingMessage } from "node:http";
import { pathOf } from "./server-metadata.ts";

/**
 * A request as the protocol library gets it: made of what was checked, and of nothing else that came with the original. Host, scheme and path
 * prefix are those of the base URL.
 *
 * @param target path and query below the base URL.
 * @param form the body; `undefined`: none.
 */
export function requestOf(
  original: IncomingMessage,
  baseUrl: string,
  target: string,
  form: URLSearchParams | undefined,
): IncomingMessage {
  const base = new URL(baseUrl);
  const body = form === undefined ? undefined : Buffer.from(form.toString());
  const { cookie } = original.headers;
  const request = new IncomingMessage(original.socket);
  request.method = original.method ?? "GET";
  request.url = target;
  request.headers = {
    host: base.host,
    "x-forwarded-host": base.host,
    "x-forwarded-proto": base.protocol.slice(0, -1),
    // Else the library would render errors of these endpoints as pages.
    accept: "application/json",
    ...(cookie === undefined ? {} : { cookie }),
    ...(body === undefined
      ? {}
      : {
          "content-type": "application/x-www-form-urlencoded",
          "content-length": String(body.byteLength),
        }),
  };
  if (body !== undefined) request.push(body);
  request.push(null);
  // All of it is here: an end before that would break off the connection.
  request.complete = true;
  return Object.assign(request, { baseUrl: pathOf(baseUrl) });
}
