import type { GatewayFile } from "../../model/config-file.generated.ts";
import type { LimitsConfig } from "../../model/limits.ts";
import { normalizeLimits } from "../normalize-limits.ts";
import type { Finding, Look, Rule } from "../rule.ts";

type Path = readonly [group: string, key: string];

/** A limit that a wider one makes pointless, with the value of each. */
interface Pair {
  readonly narrow: Path;
  readonly wide: Path;
  readonly values: (limits: LimitsConfig) => readonly [narrow: number, wide: number];
}

const pairs: readonly Pair[] = [
  {
    narrow: ["requests", "arguments_size"],
    wide: ["requests", "body_size"],
    values: ({ requests }) => [requests.argumentBytes, requests.bodyBytes],
  },
  {
    narrow: ["requests", "json_string"],
    wide: ["requests", "body_size"],
    values: ({ requests }) => [requests.jsonStringBytes, requests.bodyBytes],
  },
  {
    narrow: ["connections", "per_address"],
    wide: ["connections", "total"],
    values: ({ connections }) => [connections.perAddress, connections.total],
  },
  {
    narrow: ["sessions", "per_caller"],
    wide: ["sessions", "total"],
    values: ({ sessions }) => [sessions.perCaller, sessions.total],
  },
  {
    narrow: ["streams", "per_caller"],
    wide: ["streams", "total"],
    values: ({ streams }) => [streams.perCaller, streams.total],
  },
  {
    narrow: ["calls", "per_tenant"],
    wide: ["calls", "total"],
    values: ({ calls }) => [calls.perTenant, calls.total],
  },
];

/** A limit of a part that is larger than that of the whole limits nothing: somebody has raised only one of the two. */
export const limitOrder: Rule = function* (file, look): Generator<Finding> {
  const limits = normalizeLimits(file.limits ?? {});
  for (const { narrow, wide, values } of pairs) {
    // Who lowers the whole alone means what is said of the parts too.
    if (!isWritten(file, narrow)) continue;
    const [inner, outer] = values(limits);
    if (inner <= outer) continue;
    yield {
      severity: "warning",
      code: "limit-order",
      message: `\`${narrow[1]}: ${look.written(["limits", ...narrow])}\` never counts, since ${describe(file, wide, outer, look)} is less. Raise \`limits.${wide.join(".")}\` as well, or lower this one.`,
      path: ["limits", ...narrow],
      dependsOn: [["limits", ...wide]],
    };
  }
};

function describe(file: GatewayFile, wide: Path, value: number, look: Look): string {
  return isWritten(file, wide)
    ? `\`${wide[1]}: ${look.written(["limits", ...wide])}\``
    : `\`${wide[1]}\`, which is ${value} by default,`;
}

function isWritten({ limits }: GatewayFile, [group, key]: Path): boolean {
  const values: Readonly<Record<string, object | undefined>> = { ...limits };
  return Object.hasOwn(values[group] ?? {}, key);
}
