import type { ProviderLimits } from "../model/limits.ts";

/** What upstreams are given and what is taken of them, where a request says nothing else. Times in ms. */
export interface HttpLimits
  extends Pick<
    ProviderLimits,
    "connectMilliseconds" | "tlsMilliseconds" | "firstByteMilliseconds" | "pauseMilliseconds" | "answerBytes"
  > {
  /** Where the operator's file sets them, such as `providers.github.limits`, for messages; absent: nowhere. */
  readonly setAt?: string;
}

/** For requests that belong to no provider: documents, OAuth, keys of issuers. */
export const usualHttpLimits: HttpLimits = {
  connectMilliseconds: 3_000,
  tlsMilliseconds: 5_000,
  firstByteMilliseconds: 30_000,
  pauseMilliseconds: 60_000,
  answerBytes: 10 * 1024 * 1024,
};

/** Names the key of the file that sets a limit, as a parenthesis behind the limit itself; empty where there is none. */
export function settingOf(setAt: string | undefined, key: string): string {
  return setAt === undefined ? "" : ` (\`${setAt}.${key}\`)`;
}
