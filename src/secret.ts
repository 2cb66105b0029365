import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/**
 * A value that must never be printed: credentials, keys, tokens.
 *
 * However it is printed (template literal, JSON, `console.log`, an error's cause) it reads `[secret]`;
 * the one way to the value is {@link Secret.reveal}, called where the bytes go onto the wire.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself. Call it only where it is used, and keep the result in no structure. */
  reveal(): string {
    return this.#value;
  }

  /** True for the same secret. In constant time for secrets of one length. */
  equals(other: Secret): boolean {
    const own = Buffer.from(this.#value);
    const others = Buffer.from(other.#value);
    return own.length === others.length && timingSafeEqual(own, others);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** A setting's value for the wire, be it a secret or not. As with {@link Secret.reveal}: call it only where it is used. */
export function revealed(value: string | Secret): string {
  return typeof value === "string" ? value : value.reveal();
}
