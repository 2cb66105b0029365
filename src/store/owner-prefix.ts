/*
 * How the ids of records begin that belong to somebody, such as credentials: `KIND:ID/`. Here, so that whoever removes the owner finds
 * them without knowing anything else of them.
 */

/** Whom a record belongs to. */
export interface RecordOwner {
  readonly kind: "gateway" | "tenant" | "user";
  readonly id: string;
}

/** A user, or a service, as an owner in a tenant that it acts in; `home` is the one that it is of. */
export function userIn(
  tenant: string,
  { id, home }: { readonly id: string; readonly home: string },
): RecordOwner {
  return { kind: "user", id: home === tenant ? id : `${id}@${home}` };
}

/** What the ids of an owner's records begin with: no other owner's do. */
export function ownerPrefix({ kind, id }: RecordOwner): string {
  return `${escapePart(`${kind}:${id}`)}/`;
}

/**
 * A part of an id: whatever else than letters, digits and `-._~@:` it holds is written as `%` and the four digits of its code unit, so
 * that there is one way to write it, and no `/` in it.
 */
export function escapePart(part: string): string {
  return part.replace(
    /[^A-Za-z0-9._~@:-]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
