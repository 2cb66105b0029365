import { GatewayError } from "../../errors.ts";
import { type Exchange, readBody } from "../exchange.ts";

/** Reads what a form of our own pages sends, each field once. Throws `bad_request` for everything else. */
export async function readForm(exchange: Exchange, maxBytes: number): Promise<URLSearchParams> {
  const type = exchange.request.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type))
    throw new GatewayError("bad_request", "This route takes the forms of the gateway's own pages only.");
  const form = new URLSearchParams((await readBody(exchange, maxBytes)).toString("utf8"));
  const names = [...form.keys()];
  if (new Set(names).size === names.length) return form;
  throw new GatewayError("bad_request", "A field of the form came several times.");
}
