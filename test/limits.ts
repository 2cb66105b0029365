import { normalizeLimits, normalizeProviderLimits } from "../src/config/normalize-limits.ts";

/** What a file that says nothing of limits comes to. */
export const usualLimits = normalizeLimits({});
export const usualProviderLimits = normalizeProviderLimits();

/** What a file that says nothing of the server comes to, besides address and keys. */
export const usualServer = {
  trustedProxies: [],
  management: undefined,
  reusePort: false,
  shutdown: { delayMilliseconds: 0, graceMilliseconds: 30_000 },
} as const;

/** `limits` of a file, for tests that make more calls at a time than usual, or call upstreams that fail one after the other. */
export const roomForCalls = {
  calls: { total: 100_000, per_tenant: 100_000 },
  providers: { concurrency: 100_000, breaker: { failures: 0 } },
  overload: { delay: "1h", requests: 100_000 },
} as const;
