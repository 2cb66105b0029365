import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { GatewayError } from "../errors.ts";
import { asObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { Secret } from "../secret.ts";

/** A sign-in that `gateway login` keeps for later commands. */
export interface SavedSession {
  /** Address of the gateway, ends with `/`. */
  readonly server: string;
  readonly session: Secret;
  /** Who signed in. */
  readonly name: string;
  /** Milliseconds since 1970; `undefined`: not known. */
  readonly endsAt: number | undefined;
}

/**
 * Where sessions are kept: `gestalt-gateway/sessions.json` below `XDG_CONFIG_HOME`, else below `~/.config`. A relative
 * `XDG_CONFIG_HOME` counts as none, as the XDG base directory specification wants it.
 */
export function sessionsFile(environment: Readonly<Record<string, string | undefined>>): string {
  const configured = environment["XDG_CONFIG_HOME"] ?? "";
  const folder = isAbsolute(configured) ? configured : join(homedir(), ".config");
  return join(folder, "gestalt-gateway", "sessions.json");
}

/** The sessions of a file by the origin of their server, without those that have ended. Throws for a file that is none. */
export async function readSessions(file: string): Promise<ReadonlyMap<string, SavedSession>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Map();
    throw unusable(file, "can't be read", error);
  }
  const sessions = new Map<string, SavedSession>();
  for (const [origin, value] of Object.entries(asObject(parse(text)) ?? failUnreadable(file))) {
    const { server, session, name, ends_at: endsAt = null } = asObject(value) ?? {};
    const isTime = endsAt === null || typeof endsAt === "number";
    if (typeof server !== "string" || typeof session !== "string" || typeof name !== "string" || !isTime)
      failUnreadable(file);
    else if (endsAt === null || endsAt > Date.now())
      sessions.set(origin, { server, session: new Secret(session), name, endsAt: endsAt ?? undefined });
  }
  return sessions;
}

/**
 * Replaces the file as a whole: a command that is killed leaves the old one. Only the user who runs this can read the file
 * and look into its folder.
 */
export async function writeSessions(
  file: string,
  sessions: ReadonlyMap<string, SavedSession>,
): Promise<void> {
  const content: JsonObject = Object.fromEntries(
    [...sessions].map(([origin, { server, session, name, endsAt }]) => [
      origin,
      { server, session: session.reveal(), name, ...(endsAt !== undefined && { ends_at: endsAt }) },
    ]),
  );
  const folder = dirname(file);
  const draft = join(folder, `.sessions-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    // Where not even that is possible, there is no draft; the first error is the one to tell.
    await rm(draft, { force: true }).catch(() => {});
    throw unusable(file, "can't be written, so the session was not kept", error);
  }
}

function parse(text: string): JsonValue | undefined {
  try {
    // JSON.parse gives JSON values and nothing else.
    return JSON.parse(text) as JsonValue;
  } catch {
    // Told with the name of the file; the parser's words could quote a session.
    return undefined;
  }
}

function failUnreadable(file: string): never {
  throw unusable(file, "does not hold saved sessions. Remove it and sign in again");
}

function unusable(file: string, why: string, cause?: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new GatewayError("bad_request", `\`${file}\` ${why}${code}.`, { cause });
}
