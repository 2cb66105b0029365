/** A command line that can't be carried out as it is: told like all mistakes of that kind, and ends with their status. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
