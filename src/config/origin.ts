import { dirname, resolve } from "node:path";
import { type LocatedNode, type NodePath, nodeAt, spanAt } from "../documents/located-node.ts";
import { placeOf } from "../documents/source-file.ts";
import type { DocumentLocation } from "../model/config.ts";
import type { Place } from "../model/place.ts";
import { Secret } from "../secret.ts";

/** What normalizing needs to know about the file beyond its values. */
export interface Origin {
  /** Where the key or, if asked for, the value at a path stands. */
  place(path: NodePath, target?: "key" | "value"): Place;
  /** An absolute path for one that stands in the file, relative to the folder of the file that it stands in. */
  absolute(path: NodePath, value: string): string;
  /** The text that a reference at a path supplied, before it was read as a number or a boolean. */
  referenceText(path: NodePath): string | undefined;
  /** The value at a path: a secret if a reference supplied it. */
  sensitive(path: NodePath, value: string): string | Secret;
  /** The secret at a path, `undefined` while its reference is not set. */
  secret(path: NodePath, value: string | undefined): Secret | undefined;
}

/** Answers from a checked tree. */
export function createOrigin(root: LocatedNode): Origin {
  const reference = (path: NodePath): "resolved" | "unset" | undefined => {
    const node = nodeAt(root, path);
    return node?.kind === "scalar" ? node.reference : undefined;
  };
  return {
    place: (path, target = "key") => placeOf(spanAt(root, path, target)),
    absolute: (path, value) => resolve(dirname(spanAt(root, path, "value").source.path), value),
    referenceText: (path) => {
      const node = nodeAt(root, path);
      return node?.kind === "scalar" && node.reference === "resolved" ? node.text : undefined;
    },
    sensitive: (path, value) => (reference(path) === "resolved" ? new Secret(value) : value),
    secret: (path, value) =>
      value === undefined || reference(path) === "unset" ? undefined : new Secret(value),
  };
}

/** A map without a prototype, so that a look-up finds nothing that is not in it. */
export function record<Value>(entries: Iterable<readonly [string, Value]>): Readonly<Record<string, Value>> {
  const result: Record<string, Value> = Object.create(null);
  for (const [key, value] of entries) result[key] = value;
  return result;
}

/** A URL or a path, told apart by the scheme. */
export function documentLocation(value: string, path: NodePath, origin: Origin): DocumentLocation {
  const place = origin.place(path, "value");
  return /^https?:\/\//i.test(value)
    ? { kind: "url", url: value, place }
    : { kind: "file", path: origin.absolute(path, value), place };
}
