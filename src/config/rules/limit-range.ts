import type { NodePath } from "../../documents/located-node.ts";
import { readDuration } from "../duration.ts";
import { eachProvider, type Finding, type Look, type Rule } from "../rule.ts";
import { readSize } from "../size.ts";

/** The least and the most that a size may be. */
interface Range {
  readonly least?: string;
  readonly most?: string;
}

/** By key. The schema says the same of sizes that are numbers. */
export const sizeRanges: Readonly<Record<string, Range>> = {
  header_size: { least: "1KiB", most: "1MiB" },
  body_size: { least: "1KiB", most: "256MiB" },
  json_string: { least: "64B", most: "256MiB" },
  arguments_size: { least: "64B", most: "256MiB" },
  waiting_size: { least: "1KiB" },
  size: { least: "1KB", most: "256MiB" },
  memory: { least: "64MiB" },
  answer_size: { least: "1KiB", most: "256MiB" },
  event_size: { least: "1KiB", most: "256MiB" },
};

/** Node's timers count no longer, and one that is to would be over at once. */
const longestTime = "24d";

/** Sizes with a unit, which the schema can't compare, and times that nobody can wait for. */
export const limitRange: Rule = function* (file, look): Generator<Finding> {
  const { rates: _, ...limits } = file.limits ?? {};
  yield* checkAll(limits, ["limits"], look);
  yield* checkAll(file.server?.shutdown ?? {}, ["server", "shutdown"], look);
  for (const { provider, path } of eachProvider(file))
    yield* checkAll(provider.limits ?? {}, [...path, "limits"], look);
};

function* checkAll(values: object, path: NodePath, look: Look): Generator<Finding> {
  for (const [key, value] of Object.entries(values)) {
    const place = [...path, key];
    if (typeof value === "object" && value !== null) yield* checkAll(value, place, look);
    else if (typeof value === "string") yield* checkValue(key, value, place, look);
  }
}

function* checkValue(key: string, value: string, path: NodePath, look: Look): Generator<Finding> {
  // Those have a shorter limit of their own.
  if (key === "call_time" || key === "longest_call_time") return;
  const size = Object.hasOwn(sizeRanges, key) ? sizeRanges[key] : undefined;
  const { least, most }: Range = size ?? { most: longestTime };
  const read = size === undefined ? readDuration : readSize;
  const finding = (problem: string): Finding => ({
    code: "limit-range",
    message: `\`${key}\` ${problem}, not \`${look.written(path)}\`.`,
    path,
  });
  if (least !== undefined && read(value) < read(least)) yield finding(`has to be at least \`${least}\``);
  else if (most !== undefined && read(value) > read(most)) yield finding(`can be at most \`${most}\``);
}
