import { createdTokenToJson, tokenToJson } from "../../administration-json.ts";
import { allow, sendEmpty, sendJson } from "../exchange.ts";
import { type IdentityContext, noSuchRoute } from "./context.ts";
import { readMembers, required } from "./members.ts";

/** Serves `tokens`, `tokens/{id}` and `tokens/{id}/rotate`; `segments` is what follows `tokens`. */
export async function handleTokens(context: IdentityContext, segments: readonly string[]): Promise<void> {
  const [id, action, ...more] = segments;
  if (id === undefined) return handleAll(context);
  const { exchange, administration } = context;
  if (action === undefined) {
    allow(exchange, ["DELETE"]);
    await (await administration()).revokeToken(id);
    return sendEmpty(exchange, 204);
  }
  if (action !== "rotate" || more.length > 0) throw noSuchRoute();
  allow(exchange, ["POST"]);
  await readMembers(exchange, []);
  return sendJson(exchange, 200, createdTokenToJson(await (await administration()).rotateToken(id)));
}

async function handleAll({ exchange, administration }: IdentityContext): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  if (exchange.request.method !== "POST") {
    const tokens = await (await administration()).listTokens();
    return sendJson(exchange, 200, { tokens: tokens.map(tokenToJson) });
  }
  const known = ["name", "service", "user", "scopes", "roles", "acts_for", "expires_in"];
  const members = await readMembers(exchange, known);
  const token = await (await administration()).createToken({
    name: required(members.text("name"), "name"),
    service: members.truth("service"),
    user: members.text("user"),
    scopes: members.texts("scopes"),
    roles: members.texts("roles"),
    actsFor: members.actsFor("acts_for"),
    expiresIn: members.lifetime("expires_in"),
  });
  return sendJson(exchange, 201, createdTokenToJson(token));
}
