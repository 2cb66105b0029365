import type { Identity, SignedIn, SignIn } from "../../identity/identity.ts";
import type { Secret } from "../../secret.ts";
import type { Exchange } from "../exchange.ts";

/** Characters of what a browser calls itself that are kept. */
const longestClient = 200;

/** Signs in whoever sent a request, by the name and password in it. Throws what `Identity.signIn` throws. */
export function signIn(
  identity: Identity,
  exchange: Exchange,
  name: string,
  password: Secret,
): Promise<SignedIn> {
  return identity.signIn({ name, password, ...browserOfRequest(exchange) });
}

/** The browser, or other client, that a request comes from. */
export function browserOfRequest({ request, address }: Exchange): Omit<SignIn, "name" | "password"> {
  return { client: request.headers["user-agent"]?.slice(0, longestClient), address };
}
