import type { OwnAddress } from "../own-address.ts";
import type { ProtectedSurface } from "./identity.ts";

/** Paths of the surfaces that access tokens are issued for. */
const paths = { mcp: "/mcp", api: "/api/v1" } as const;

/** The URL of a surface as a resource (RFC 8707), without a slash at the end. */
export function resourceUrl(baseUrl: string, surface: keyof typeof paths): string {
  return `${baseUrl}${paths[surface]}`;
}

/** Every resource of this gateway, those of its base URL first. */
export function resourceUrls(address: OwnAddress): readonly string[] {
  return address.baseUrls().flatMap((url) => [resourceUrl(url, "mcp"), resourceUrl(url, "api")]);
}

/** Whether an audience, to the letter, is what a surface of this gateway is called today; nothing is for `other`. */
export function isResourceUrl(address: OwnAddress, surface: ProtectedSurface, audience: string): boolean {
  return surface !== "other" && address.baseUrls().some((url) => resourceUrl(url, surface) === audience);
}
