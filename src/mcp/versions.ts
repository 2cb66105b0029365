/** Versions with an initialize handshake and sessions, oldest first. */
export const legacyVersions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] as const;

/** Versions without a handshake: every request carries its own `_meta`. */
export const modernVersions = ["2026-07-28"] as const;

/** A version with an initialize handshake. */
export type LegacyVersion = (typeof legacyVersions)[number];

/** The newest version with a handshake: what is offered where the other side's is not known. */
export const newestLegacyVersion: LegacyVersion = "2025-11-25";

/** The newest version. */
export const newestModernVersion = "2026-07-28";

/** True for a version with a handshake that is spoken here. */
export function isLegacyVersion(version: string): version is LegacyVersion {
  return legacyVersions.some((known) => known === version);
}

/** True for a version without a handshake that is spoken here. */
export function isModernVersion(version: string): boolean {
  return modernVersions.some((known) => known === version);
}

/** True when `version` is `least` or newer; versions are dates and order as texts. */
export function isAtLeast(version: string, least: string): boolean {
  return version >= least;
}

/** True for a version, known or not, of the time without a handshake. */
export function namesModernEra(version: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(version) && isAtLeast(version, modernVersions[0]);
}
