import { Shares, shareOfTenant } from "../../limits/shares.ts";
import type { Principal } from "../../model/principal.ts";
import { AskingCall, type AskingRoom, type Leg } from "./asking-call.ts";
import type { McpLimits } from "./limits.ts";
import { isSameCaller } from "./same-caller.ts";
import { keyOfPrincipal, sharerOf } from "./same-principal.ts";

/** The calls of clients from 2026-07-28, which can be asked while they run only by ending the request that they came with. */
export interface ParkedCalls {
  /** Begins a call on the request that makes it. */
  begin(principal: Principal, leg: Leg): AskingCall;
  /** The call that waits for a client to come back, if it is this caller's own: another's does not exist. */
  find(id: string, principal: Principal): AskingCall | undefined;
  /** Ends all that wait for a client, which can't come back any more; from now on nothing is asked. */
  close(): void;
}

/**
 * Keeps those calls that have asked something, within bounds. Clients that never come back must not keep others, or themselves, from being
 * asked: where there is no room, whoever has the most of them loses the one that was first asked.
 */
export function createParkedCalls(limits: McpLimits): ParkedCalls {
  const calls = new Map<string, AskingCall>();
  const counts = new Map<string, number>();
  /** What calls came to while nobody waited for them, in characters. */
  const kept = new Map<AskingCall, number>();
  const shares = new Shares(() => ({ total: limits.parkedCalls, perCaller: limits.parkedCallsPerPrincipal }));
  const keptShares = new Shares(() => ({
    total: limits.parkedCharacters,
    perCaller: shareOfTenant(limits.parkedCharacters),
  }));
  let isClosed = false;
  const keyOf = ({ principal }: AskingCall): string => keyOfPrincipal(principal);

  /** Who has the most: of several who have as many, the one who wants more. */
  const findLargest = (wanting: string): string => {
    let largest = wanting;
    for (const [key, count] of counts) if (count > (counts.get(largest) ?? 0)) largest = key;
    return largest;
  };
  /** Ends the oldest of these calls that waits for its client; false where there is none. */
  const endOldest = (isMeant: (call: AskingCall) => boolean): boolean => {
    for (const call of calls.values()) {
      if (!call.isParked || !isMeant(call)) continue;
      call.cancel();
      return true;
    }
    return false;
  };
  const makeRoom = (call: AskingCall): boolean => {
    const key = keyOf(call);
    const { tenant } = call.principal;
    switch (shares.lack(sharerOf(call.principal))) {
      case undefined:
        return true;
      case "caller":
        return endOldest((other) => keyOf(other) === key);
      case "tenant":
        return endOldest(({ principal }) => principal.tenant === tenant);
      case "all": {
        const largest = findLargest(key);
        return endOldest((other) => keyOf(other) === largest);
      }
    }
  };

  const room: AskingRoom = {
    enter: (call) => {
      if (isClosed) return false;
      if (calls.has(call.id)) return true;
      if (!makeRoom(call)) return false;
      calls.set(call.id, call);
      shares.take(sharerOf(call.principal));
      counts.set(keyOf(call), (counts.get(keyOf(call)) ?? 0) + 1);
      return true;
    },
    keep: (call, characters) => {
      const sharer = sharerOf(call.principal);
      if (!calls.has(call.id) || keptShares.lack(sharer, characters) !== undefined) return false;
      kept.set(call, characters);
      keptShares.take(sharer, characters);
      return true;
    },
    leave: (call) => {
      const sharer = sharerOf(call.principal);
      keptShares.giveBack(sharer, kept.get(call) ?? 0);
      kept.delete(call);
      if (!calls.delete(call.id)) return;
      shares.giveBack(sharer);
      const left = (counts.get(keyOf(call)) ?? 1) - 1;
      if (left === 0) counts.delete(keyOf(call));
      else counts.set(keyOf(call), left);
    },
  };
  return {
    begin: (principal, leg) => new AskingCall(principal, leg, room, limits),
    find: (id, principal) => {
      const call = calls.get(id);
      return call !== undefined && isSameCaller(call.principal, principal) ? call : undefined;
    },
    close: () => {
      isClosed = true;
      for (const call of calls.values()) if (call.isParked) call.cancel();
    },
  };
}
