import { GatewayError } from "../errors.ts";
import { createAttemptLimiter } from "../limits/attempt-limiter.ts";

/** How often passwords may be tried. What turns out right does not count. */
export interface SignInLimits {
  /** Takes an attempt, or throws `rate_limited`. */
  take(name: string, address: string): CountedAttempt;
}

/** An attempt that counts, unless one of these is called. */
export interface CountedAttempt {
  /** The password was right. */
  succeed(): void;
  /** It was not looked at. */
  withdraw(): void;
}

/** From one address: ten at once, ten a minute. */
const perAddress = { attempts: 10, refill: 6_000 };
/** For one name over all addresses: twenty at once, two a minute. */
const perName = { attempts: 20, refill: 30_000 };
const mostAcquainted = 10_000;

/**
 * Limits by address and by name. Anybody can use up the attempts of somebody else's name: where a user has signed in from an address
 * before, attempts from there are therefore counted by themselves, and neither strangers nor neighbours at the same address keep them out.
 */
export function createSignInLimits(now: () => number): SignInLimits {
  const addresses = createAttemptLimiter(perAddress, now);
  const names = createAttemptLimiter(perName, now);
  const acquainted = createAttemptLimiter(perAddress, now);
  const known = new Set<string>();

  return {
    take(name, address) {
      const network = networkOf(address);
      const pair = `${network} ${name}`;
      if (known.has(pair)) {
        refuse(acquainted.take(pair));
        const giveBack = () => acquainted.giveBack(pair);
        return { succeed: giveBack, withdraw: giveBack };
      }
      refuse(addresses.take(network));
      const wait = names.take(name);
      if (wait !== undefined) addresses.giveBack(network);
      refuse(wait);
      const withdraw = () => {
        addresses.giveBack(network);
        names.giveBack(name);
      };
      return {
        withdraw,
        succeed() {
          withdraw();
          known.add(pair);
          if (known.size > mostAcquainted) {
            const [oldest] = known;
            if (oldest !== undefined) known.delete(oldest);
          }
        },
      };
    },
  };
}

/** Throws `rate_limited` unless there is nothing to wait for, in milliseconds. */
export function refuse(wait: number | undefined, what = "attempts to sign in"): void {
  if (wait === undefined) return;
  const seconds = Math.max(1, Math.ceil(wait / 1_000));
  throw new GatewayError("rate_limited", `Too many ${what}. Try again in ${seconds} s.`, {
    details: { retry_after: seconds },
    retryable: true,
  });
}

/** What one subscriber has of the address space: an IPv4 address, or 64 bits of IPv6. */
export function networkOf(address: string): string {
  const text = address.toLowerCase().replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (mapped !== undefined || !text.includes(":")) return (mapped ?? text).slice(0, 64);
  const [head = "", tail] = text.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  const groups = [...first, ...(tail === undefined ? [] : zeros), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
