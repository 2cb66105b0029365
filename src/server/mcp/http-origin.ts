import type { Principal } from "../../model/principal.ts";
import type { Exchange } from "../exchange.ts";
import { presentedBy } from "../presented-secrets.ts";
import { headersOf } from "../request-header.ts";
import type { Origin } from "./face.ts";

/** An HTTP request as the origin of its message. */
export function createHttpOrigin(
  exchange: Exchange,
  principal: Principal,
  authenticate: (exchange: Exchange) => Promise<Principal>,
): Origin {
  const { request, query, signal } = exchange;
  return {
    transport: "http",
    header: (name) => header(exchange, name),
    passedHeader: headersOf(request, presentedBy(exchange, principal)),
    get presented() {
      const { authorization = "", cookie = "" } = request.headers;
      return JSON.stringify([authorization, cookie, query]);
    },
    authenticate: () => authenticate(exchange),
    signal,
  };
}

/** A single header; repeated ones are joined and then fit nothing. */
export function header({ request }: Exchange, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
