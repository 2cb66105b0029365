import type { NodePath } from "../../documents/located-node.ts";
import type { ManualCredential } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

const allowedTargets = ["header", "query", "cookie", "basic"] as const;

/** Each field of a `manual` connection goes to one place, and no two go to the same. */
export const credentialTarget: Rule = function* (file): Generator<Finding> {
  for (const { connection, path } of eachConnection(file)) {
    if (connection.auth?.type !== "manual") continue;
    const seen = new Map<string, NodePath>();
    for (const [index, credential] of connection.auth.credentials.entries()) {
      const itemPath = [...path, "auth", "credentials", index];
      yield* checkField(credential, itemPath);
      for (const use of usesOf(credential)) {
        const first = seen.get(use.identity);
        if (first === undefined) seen.set(use.identity, [...itemPath, use.key]);
        else {
          yield {
            code: "credential-target",
            message: `${use.phrase} is already taken by another field. Each field needs its own.`,
            path: [...itemPath, use.key],
            related: [{ message: "The first one is here.", path: first }],
            dependsOn: [first],
          };
        }
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

function* usesOf(
  credential: ManualCredential,
): Generator<{ readonly key: string; readonly identity: string; readonly phrase: string }> {
  const { name, header, query, cookie, basic } = credential;
  yield { key: "name", identity: `name ${name}`, phrase: `The name \`${name}\`` };
  if (header !== undefined) {
    yield { key: "header", identity: `header ${header.toLowerCase()}`, phrase: `The header \`${header}\`` };
  }
  if (query !== undefined)
    yield { key: "query", identity: `query ${query}`, phrase: `The query parameter \`${query}\`` };
  if (cookie !== undefined)
    yield { key: "cookie", identity: `cookie ${cookie}`, phrase: `The cookie \`${cookie}\`` };
  if (basic !== undefined)
    yield { key: "basic", identity: `basic ${basic}`, phrase: `The ${basic} of basic authentication` };
}
