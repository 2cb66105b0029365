import { createHash } from "node:crypto";

/** What identifies an operation on the wire: the input of the hash in altered names. */
export interface OperationIdentity {
  readonly surface: string;
  readonly method: string;
  readonly path: string;
}

const longestName = 64;
const legalName = /^[a-zA-Z0-9_-]+$/;
const hashLength = 8;

/**
 * The name of an operation inside its provider: what follows the tool prefix, and the last segment of the HTTP API's route.
 *
 * An id that is legal, unique in its surface and short enough stays as it is. Any other keeps its legal characters and gets
 * `_` and eight hexadecimal digits of SHA-256 over surface, method and path, so that the name depends neither on the order
 * of operations nor on unrelated ones. The algorithm is frozen: names are an interface (golden files in `test/golden`).
 *
 * @param contested true when another operation of the same surface has the same id (letter case aside).
 */
export function operationName(
  prefix: string,
  id: string,
  identity: OperationIdentity,
  contested: boolean,
): string {
  const room = longestName - prefix.length;
  if (!contested && legalName.test(id) && id.length <= room) return id;
  const readable = id.replaceAll(/[^a-zA-Z0-9_-]+/g, "_").replaceAll(/^_+|_+$/g, "");
  const hash = createHash("sha256")
    .update(`${identity.surface}\n${identity.method}\n${identity.path}`)
    .digest("hex")
    .slice(0, hashLength);
  const kept = readable.slice(0, Math.max(0, room - hashLength - 1)).replace(/_+$/, "");
  return kept === "" ? hash : `${kept}_${hash}`;
}
