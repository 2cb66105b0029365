import { createLoadMonitor, type LoadMonitor } from "../limits/load-monitor.ts";
import { type Admission, createAdmission } from "./admission.ts";
import type { Exchange } from "./exchange.ts";
import { memoryUse } from "./memory-use.ts";
import { createOverloadRefusal } from "./refuse-overloaded.ts";
import type { ServerParts } from "./server-parts.ts";

/** Between two looks at the memory. */
const lookMilliseconds = 250;

/** The door of a server, and what it knows of the load. */
export interface Door extends Admission, Pick<LoadMonitor, "overload"> {
  /** Nothing is looked at any more. */
  close(): void;
}

/** Puts the door together, with this process's memory and clock. */
export function createDoor(
  parts: Pick<ServerParts, "limits" | "authorizationServer" | "log">,
  serve: (exchange: Exchange) => void,
): Door {
  const limits = () => parts.limits().overload;
  const now = () => performance.now();
  const monitor = createLoadMonitor({ limits, memory: memoryUse, now, log: (message) => parts.log(message) });
  const isOAuth = (path: string): boolean => parts.authorizationServer?.owns(path) === true;
  const refuse = createOverloadRefusal(limits, isOAuth);
  const { enter } = createAdmission({ limits, monitor, serve, refuse, now });
  let looks: NodeJS.Timeout | undefined;
  return {
    enter: (exchange) => {
      // Nobody asks for much before the first request.
      looks ??= setInterval(monitor.look, lookMilliseconds).unref();
      enter(exchange);
    },
    overload: monitor.overload,
    close: () => clearInterval(looks),
  };
}
