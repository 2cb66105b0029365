import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { OpenApiSurface, ProviderConfig } from "../../model/config.ts";
import { Secret } from "../../secret.ts";
import type { OwnParameters } from "../http/parameter-source.ts";

/** What is to be compiled. Plain data without a secret in it, so that it may cross to another thread. */
export interface CompileJob {
  readonly surface: OpenApiSurface;
  readonly provider: ProviderOutline;
  /** Hosts of `egress.allowed_hosts`. */
  readonly allowedHosts: readonly string[];
}

/** What compiling has to know of a provider: where it sends something itself, never what. */
export interface ProviderOutline {
  readonly headers: readonly Sent[];
  readonly managedParameters: readonly (Sent &
    Pick<ProviderConfig["managedParameters"][number], "in" | "place">)[];
}

interface Sent {
  readonly name: string;
  readonly isSecret: boolean;
}

/** What a job came to, besides the operations. */
export interface CompileOutcome {
  readonly diagnostics: readonly Diagnostic[];
  /** Every document that was read, the entry document first. */
  readonly documents: readonly DocumentRecord[];
}

/** A document that operations were made from. */
export interface DocumentRecord {
  /** Its `file:`, `http:` or `https:` URL. */
  readonly url: string;
  /** `sha256:` and 64 hexadecimal digits, over the bytes as read. */
  readonly digest: string;
}

/** Takes the values off what a provider sends. */
export function outlineProvider({ headers, managedParameters }: OwnParameters): ProviderOutline {
  return {
    headers: Object.entries(headers).map(([name, value]) => ({ name, isSecret: value instanceof Secret })),
    managedParameters: managedParameters.map(({ name, in: location, value, place }) => ({
      name,
      in: location,
      isSecret: value instanceof Secret,
      place,
    })),
  };
}

/** What compilers take in place of the provider: the same names and places, all values empty. */
export function fromOutline({ headers, managedParameters }: ProviderOutline): OwnParameters {
  return {
    headers: Object.fromEntries(headers.map((sent) => [sent.name, emptyValue(sent)])),
    managedParameters: managedParameters.map((sent) => ({
      name: sent.name,
      in: sent.in,
      place: sent.place,
      value: emptyValue(sent),
    })),
  };
}

function emptyValue({ isSecret }: Sent): string | Secret {
  return isSecret ? new Secret("") : "";
}
