import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

const envelope = byFold(["jsonrpc", "id", "method", "params", "result", "error"]);
/** Those of the parameters that decide what is done, and for whom. */
const parameters = byFold(["name", "arguments", "uri", "_meta"]);

/** A name of a message, and the one that it looks like. */
export interface LookAlike {
  readonly name: string;
  readonly meant: string;
}

/**
 * A member of a message, or of its parameters, whose name differs from one of the protocol's in case alone: `Method`. Parsers that
 * ignore case take it for that one, and then it may be what they read of two (CVE-2026-27896). `undefined`: there is none.
 */
export function findLookAlike(message: JsonValue): LookAlike | undefined {
  if (!isJsonObject(message)) return undefined;
  const { params } = message;
  return findIn(message, envelope) ?? (isJsonObject(params) ? findIn(params, parameters) : undefined);
}

function findIn(object: JsonObject, known: ReadonlyMap<string, string>): LookAlike | undefined {
  for (const name of Object.keys(object)) {
    // The protocol's own names come as they are, and are their own folds.
    if (known.get(name) === name) continue;
    const meant = known.get(fold(name));
    if (meant !== undefined) return { name: name.slice(0, 100), meant };
  }
  return undefined;
}

function byFold(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [fold(name), name]));
}

/** As programs fold case that ignore it: also the Kelvin sign is a k to them, and the long s an s. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}
