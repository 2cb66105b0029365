import { userToJson } from "../../administration-json.ts";
import { allow, sendEmpty, sendJson } from "../exchange.ts";
import { type IdentityContext, noSuchRoute } from "./context.ts";
import { readMembers, required } from "./members.ts";

/** Serves `users` and `users/{name}`; `segments` is what follows `users`. */
export async function handleUsers(context: IdentityContext, segments: readonly string[]): Promise<void> {
  const [name, ...more] = segments;
  if (more.length > 0) throw noSuchRoute();
  return name === undefined ? handleAll(context) : handleOne(context, name);
}

async function handleAll({ exchange, administration }: IdentityContext): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  if (exchange.request.method !== "POST") {
    const users = await (await administration()).listUsers();
    return sendJson(exchange, 200, { users: users.map(userToJson) });
  }
  const members = await readMembers(exchange, ["name", "display_name", "password", "roles", "acts_for"]);
  const user = await (await administration()).createUser({
    name: required(members.text("name"), "name"),
    displayName: members.text("display_name"),
    password: required(members.secret("password"), "password"),
    roles: members.texts("roles"),
    actsFor: members.actsFor("acts_for"),
  });
  return sendJson(exchange, 201, userToJson(user));
}

async function handleOne({ exchange, administration }: IdentityContext, name: string): Promise<void> {
  allow(exchange, ["PATCH", "DELETE"]);
  if (exchange.request.method === "DELETE") {
    await (await administration()).removeUser(name);
    return sendEmpty(exchange, 204);
  }
  const known = ["display_name", "password", "current_password", "roles", "acts_for", "disabled"];
  const members = await readMembers(exchange, known);
  const user = await (await administration()).updateUser(name, {
    displayName: members.text("display_name"),
    password: members.secret("password"),
    currentPassword: members.secret("current_password"),
    roles: members.texts("roles"),
    actsFor: members.actsFor("acts_for"),
    disabled: members.truth("disabled"),
  });
  return sendJson(exchange, 200, userToJson(user));
}
