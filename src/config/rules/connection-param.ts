import type { NodePath } from "../../documents/located-node.ts";
import type { Connection, Provider } from "../../model/config-file.generated.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";
import { isStored } from "../stored-connection.ts";
import { eachSurfaceUrl, type Placeholder, paramForm, placeholdersOf } from "../surface-urls.ts";

type Param = NonNullable<Connection["params"]>[string];

/** The params of a connection have usable names, a way to get their values, and a use. */
export const connectionParam: Rule = function* (file): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    for (const [name, connection] of Object.entries(provider.connections ?? {})) {
      const connectionPath = [...path, "connections", name];
      const nowhere = findWithoutStore(connection, connectionPath);
      if (nowhere !== undefined) {
        yield nowhere;
        continue;
      }
      const uses = usesIn(provider, path, name);
      for (const [paramName, param] of Object.entries(connection.params ?? {})) {
        const paramPath = [...connectionPath, "params", paramName];
        yield* checkName(paramName, paramPath);
        yield* checkSources(connection, param, connectionPath, paramPath);
        yield* checkUse(param, uses.get(paramName) ?? [], paramName, paramPath, [...path, "surfaces"]);
      }
    }
  }
};

function findWithoutStore(connection: Connection, path: NodePath): Finding | undefined {
  const key = (["params", "discovery"] as const).find((candidate) => connection[candidate] !== undefined);
  if (key === undefined || isStored(connection)) return undefined;
  return {
    code: "connection-param",
    message: `\`${key}\` ${key === "params" ? "are kept with a credential that somebody connects" : "asks with a credential that somebody connects"}, and this connection has none such. ${key === "params" ? "Write the values where they are used" : "Remove it"}.`,
    path: [...path, key],
    target: "key",
    dependsOn: [
      [...path, "mode"],
      [...path, "auth"],
      [...path, "auth", "type"],
      [...path, "auth", "grant"],
    ],
  };
}

function* checkName(name: string, path: NodePath): Generator<Finding> {
  if (paramForm.test(name)) return;
  yield {
    code: "connection-param",
    message:
      "The name of a param has at most 63 lower-case letters, digits and `_`, and begins with a letter.",
    path,
    target: "key",
  };
}

function* checkSources(
  { auth, discovery }: Connection,
  param: Param,
  connectionPath: NodePath,
  path: NodePath,
): Generator<Finding> {
  if (param.from_token !== undefined && auth?.type !== "oauth2" && auth?.type !== "mcp_oauth") {
    yield {
      code: "connection-param",
      message: `\`from_token\` reads the answer of a token endpoint, and \`${auth?.type ?? "none"}\` has none. Remove it: whoever connects types the value in.`,
      path: [...path, "from_token"],
      target: "key",
      dependsOn: [[...connectionPath, "auth", "type"]],
    };
  }
  if (param.from_discovery !== undefined && discovery === undefined) {
    yield {
      code: "connection-param",
      message:
        "`from_discovery` reads what the connection's `discovery` finds, and there is none. Add `discovery: {url: …, id: …}` to the connection, or remove it.",
      path: [...path, "from_discovery"],
      target: "key",
    };
  }
  if (param.header !== undefined && param.query !== undefined) {
    yield {
      code: "connection-param",
      message: "A param goes to `header` or to `query`. Keep one of them.",
      path: [...path, "query"],
      target: "key",
      dependsOn: [[...path, "header"]],
    };
  }
}

function* checkUse(
  param: Param,
  uses: readonly Placeholder["where"][],
  name: string,
  path: NodePath,
  surfacesPath: NodePath,
): Generator<Finding> {
  if (uses.length === 0 && param.header === undefined && param.query === undefined) {
    yield {
      severity: "warning",
      code: "connection-param",
      message: `Nothing uses \`${name}\`. Write \`{${name}}\` where it stands in the URL of a surface, say \`header\` or \`query\`, or remove it.`,
      path,
      target: "key",
      dependsOn: [surfacesPath],
    };
  }
  const value = param.default;
  if (value === undefined) return;
  const isFit = uses.every((where) =>
    where === "host"
      ? /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value)
      : /^[\w.~-]+$/.test(value) && !/^\.\.?$/.test(value),
  );
  if (isFit) return;
  yield {
    code: "connection-param",
    message: `This \`default\` can't stand for \`{${name}}\`, which is one ${uses.includes("host") ? "label of a host: letters, digits and `-`" : "segment of a path: letters, digits, `-`, `.`, `_` and `~`"}.`,
    path: [...path, "default"],
  };
}

/** Where the surfaces that use a connection have its params, by name. */
function usesIn(
  provider: Provider,
  path: NodePath,
  connection: string,
): ReadonlyMap<string, readonly Placeholder["where"][]> {
  const uses = new Map<string, Placeholder["where"][]>();
  for (const url of eachSurfaceUrl(provider, path)) {
    if (!url.connections.includes(connection)) continue;
    for (const { name, where } of placeholdersOf(url.value)) {
      uses.set(name, [...(uses.get(name) ?? []), where]);
    }
  }
  return uses;
}
