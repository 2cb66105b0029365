import { isTenantId } from "../identity/forms.ts";

/** Whose grant it is, as the protocol library knows people: nothing in it is told to clients. */
export interface AccountId {
  readonly tenant: string;
  /** Id of the user. */
  readonly user: string;
  /** Of the user when the grant was made. */
  readonly generation: number;
}

/** As one text. */
export function writeAccountId({ tenant, user, generation }: AccountId): string {
  return `${tenant}/${user}/${generation}`;
}

/** The reverse; `undefined` for what was not written so. */
export function readAccountId(text: string): AccountId | undefined {
  const [tenant = "", user = "", generation = "", ...more] = text.split("/");
  if (!isTenantId(tenant) || user === "" || !/^[1-9]\d{0,14}$/.test(generation) || more.length > 0)
    return undefined;
  return { tenant, user, generation: Number(generation) };
}
