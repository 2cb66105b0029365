import type { LogLevel } from "../model/invocation.ts";
import type { JsonValue } from "../model/json.ts";

/** Least severe first (RFC 5424). */
const levels: readonly LogLevel[] = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
];

/** True for a severity that MCP knows. */
export function isLogLevel(value: JsonValue | undefined): value is LogLevel {
  return levels.some((level) => level === value);
}

/**
 * Whether a log message reaches somebody who wants no less than `least`. One of a severity that nobody knows does: its meaning is for
 * its reader to find out.
 *
 * @param least `undefined`: whatever comes.
 */
export function isWanted(level: JsonValue | undefined, least: LogLevel | "none" | undefined): boolean {
  if (least === undefined) return true;
  if (least === "none") return false;
  return !isLogLevel(level) || levels.indexOf(level) >= levels.indexOf(least);
}
