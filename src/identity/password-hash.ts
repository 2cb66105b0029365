import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** What a password hash costs. */
export interface HashParameters {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/** Makes the bytes of a hash: argon2id, or what stands for it in tests. */
export type Derive = (password: string, salt: Buffer, parameters: HashParameters) => Promise<Buffer>;

/** What OWASP asks for of argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane; some 30 ms. */
const currentParameters: HashParameters = { memory: 19_456, passes: 2, lanes: 1 };

const saltBytes = 16;
const hashBytes = 32;
/** A stored hash that costs more was not written by this room, and would be a way to stop the gateway. */
const mostMemory = 256 * 1_024;
const mostPasses = 16;
const mostLanes = 16;

const derived = promisify(argon2);

/** argon2id (RFC 9106) on a thread of its own. */
export const deriveByArgon2: Derive = (password, salt, { memory, passes, lanes }) =>
  derived("argon2id", {
    message: password,
    nonce: salt,
    parallelism: lanes,
    tagLength: hashBytes,
    memory,
    passes,
  });

interface ParsedHash {
  readonly parameters: HashParameters;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** True for a hash in PHC string format that this room may have written. */
export function isPasswordHash(value: unknown): value is string {
  return typeof value === "string" && parse(value) !== undefined;
}

/** Hashes a password with a new salt, to PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`. */
export async function hashPassword(
  password: string,
  derive: Derive,
  parameters: HashParameters = currentParameters,
): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, parameters);
  const { memory, passes, lanes } = parameters;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(hash)}`;
}

/**
 * Whether a password has this hash. Without a hash (of a user who is not there) the same work is done for nothing.
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
  derive: Derive,
): Promise<boolean> {
  const parsed = stored === undefined ? undefined : parse(stored);
  const { parameters, salt, hash } = parsed ?? {
    parameters: currentParameters,
    salt: randomBytes(saltBytes),
    hash: randomBytes(hashBytes),
  };
  const made = await derive(password, salt, parameters);
  const same = made.length === hash.length && timingSafeEqual(made, hash);
  return same && parsed !== undefined;
}

/** Whether a hash was made by other parameters than those of today, and is to be made anew at the next chance. */
export function isOutdated(stored: string): boolean {
  const { memory, passes, lanes } = parse(stored)?.parameters ?? currentParameters;
  return (
    memory !== currentParameters.memory ||
    passes !== currentParameters.passes ||
    lanes !== currentParameters.lanes
  );
}

function parse(text: string): ParsedHash | undefined {
  const match =
    /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, memory, passes, lanes, salt = "", hash = ""] = match;
  const parameters = { memory: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  if (parameters.memory > mostMemory || parameters.memory < 8 * parameters.lanes) return undefined;
  if (parameters.passes > mostPasses || parameters.lanes > mostLanes) return undefined;
  return { parameters, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
