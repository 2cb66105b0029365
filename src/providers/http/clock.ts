import { waitFor } from "../wait.ts";

/** Time and chance, as calls need them. */
export interface Clock {
  /** Ms by a clock that never goes back. */
  now(): number;
  /** Ms since 1970, to read dates by. */
  date(): number;
  /** Waits; false when `signal` ended the wait. */
  wait(milliseconds: number, signal: AbortSignal): Promise<boolean>;
  /** From 0 up to, but not including, 1. */
  random(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  wait: waitFor,
  random: () => Math.random(),
};
