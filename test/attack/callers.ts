import type { Administration, NewToken, NewUser } from "../../src/model/administration.ts";
import { Secret } from "../../src/secret.ts";
import type { System } from "./system.ts";

/** A caller by what it puts on its requests. */
export interface TestCaller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Of every user of these tests. */
export const password = "correct horse battery staple";

/** A service token as a caller. */
export async function tokenCaller(
  administration: Administration,
  token: NewToken,
): Promise<TestCaller & { readonly id: string }> {
  const { id, secret } = await administration.createToken({ service: true, ...token });
  return { id, name: `token ${token.name}`, headers: { authorization: `Bearer ${secret.reveal()}` } };
}

/** A user who has signed in, as a browser does. */
export async function sessionCaller(
  system: System,
  administration: Administration,
  user: Omit<NewUser, "password">,
): Promise<TestCaller> {
  await administration.createUser({ ...user, password: new Secret(password) });
  return { name: `session of ${user.name}`, headers: { cookie: await signIn(system.url, user.name) } };
}

/** Signs in over HTTP; returns the `Cookie` header. */
export async function signIn(url: string, name: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  const [cookie = ""] = response.headers.getSetCookie();
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return cookie.split(";", 1)[0] ?? "";
}
