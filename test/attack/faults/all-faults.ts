import { bodyFaults } from "./body-faults.ts";
import { connectionFaults } from "./connection-faults.ts";
import { contentFaults } from "./content-faults.ts";
import { encodingFaults } from "./encoding-faults.ts";
import { eventFaults } from "./event-faults.ts";
import type { Fault } from "./fault.ts";
import { headFaults } from "./head-faults.ts";
import { messageFaults } from "./message-faults.ts";
import { refusalFaults } from "./refusal-faults.ts";

/** Every way in which an upstream misbehaves, from the connection upwards. */
export const faults: readonly Fault[] = [
  ...connectionFaults,
  ...headFaults,
  ...bodyFaults,
  ...encodingFaults,
  ...contentFaults,
  ...refusalFaults,
  ...eventFaults,
  ...messageFaults,
];
