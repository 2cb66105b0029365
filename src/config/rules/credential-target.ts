import type { NodePath } from "../../documents/located-node.ts";
import type { Connection, ManualCredential } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

const allowedTargets = ["header", "query", "cookie", "basic"] as const;

/** Each field of a `manual` connection goes to one place, and no two values of a connection go to the same. */
export const credentialTarget: Rule = function* (file): Generator<Finding> {
  for (const { connection, path } of eachConnection(file)) {
    if (connection.auth?.type === "manual") {
      for (const [index, credential] of connection.auth.credentials.entries()) {
        yield* checkField(credential, [...path, "auth", "credentials", index]);
      }
    }
    const seen = new Map<string, NodePath>();
    for (const { path: usePath, identity, phrase } of usesOf(connection, path)) {
      const first = seen.get(identity);
      if (first === undefined) seen.set(identity, usePath);
      else {
        yield {
          code: "credential-target",
          message: `${phrase} is already taken by another field. Each field needs its own.`,
          path: usePath,
          related: [{ message: "The first one is here.", path: first }],
          dependsOn: [first],
        };
      }
    }
  }
};

function* checkField(credential: ManualCredential, path: NodePath): Generator<Finding> {
  const targets = allowedTargets.filter((target) => credential[target] !== undefined);
  const dependsOn = allowedTargets.map((target) => [...path, target]);
  const [first, second] = targets;
  if (first === undefined) {
    yield {
      code: "credential-target",
      message: `The field \`${credential.name}\` goes nowhere. Say where: \`header: X-Api-Key\`, \`query: api_key\`, \`cookie: session\` or \`basic: username\`.`,
      path,
      target: "key",
      dependsOn,
    };
  } else if (second !== undefined) {
    yield {
      code: "credential-target",
      message: `The field \`${credential.name}\` goes to \`${first}\` and to \`${second}\`. Keep one of them.`,
      path: [...path, second],
      target: "key",
      dependsOn,
    };
  } else if (first !== "header" && credential.prefix !== undefined) {
    yield {
      code: "credential-target",
      message: `\`prefix\` stands before a value in a header, and this field goes to \`${first}\`. Remove it.`,
      path: [...path, "prefix"],
      target: "key",
      dependsOn,
    };
  }
}

interface Use {
  readonly path: NodePath;
  /** Equal for what can't be there twice. */
  readonly identity: string;
  readonly phrase: string;
}

function* usesOf({ auth, params }: Connection, path: NodePath): Generator<Use> {
  const authPath = [...path, "auth"];
  if (auth?.type === "bearer" || auth?.type === "mcp_oauth") {
    yield headerUse("Authorization", [...authPath, "type"]);
  } else if (auth?.type === "oauth2") {
    yield headerUse(auth.header ?? "Authorization", [
      ...authPath,
      auth.header === undefined ? "type" : "header",
    ]);
  } else if (auth?.type === "manual") {
    const basic = auth.credentials.findIndex((credential) => credential.basic !== undefined);
    // Both parts of it travel there together.
    if (basic !== -1) yield headerUse("Authorization", [...authPath, "credentials", basic, "basic"]);
    for (const [index, credential] of auth.credentials.entries()) {
      yield* usesOfField(credential, [...authPath, "credentials", index]);
    }
  }
  for (const [name, { header, query }] of Object.entries(params ?? {})) {
    if (header !== undefined) yield headerUse(header, [...path, "params", name, "header"]);
    if (query !== undefined) yield queryUse(query, [...path, "params", name, "query"]);
  }
}

function* usesOfField(credential: ManualCredential, path: NodePath): Generator<Use> {
  const { name, header, query, cookie, basic } = credential;
  yield { path: [...path, "name"], identity: `name ${name}`, phrase: `The name \`${name}\`` };
  if (header !== undefined) yield headerUse(header, [...path, "header"]);
  if (query !== undefined) yield queryUse(query, [...path, "query"]);
  if (cookie !== undefined)
    yield {
      path: [...path, "cookie"],
      identity: `cookie ${cookie}`,
      phrase: `The cookie \`${cookie}\``,
    };
  if (basic !== undefined)
    yield {
      path: [...path, "basic"],
      identity: `basic ${basic}`,
      phrase: `The ${basic} of basic authentication`,
    };
}

function headerUse(header: string, path: NodePath): Use {
  return { path, identity: `header ${header.toLowerCase()}`, phrase: `The header \`${header}\`` };
}

function queryUse(query: string, path: NodePath): Use {
  return { path, identity: `query ${query}`, phrase: `The query parameter \`${query}\`` };
}
