import type { Lack } from "../../limits/shares.ts";
import { type RequestMessage, rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { HttpRefusal } from "./refusal.ts";

/** What there is no room for. */
export interface FullRoom {
  /** What it is called, in the plural. */
  readonly things: string;
  readonly total: number;
  readonly perCaller: number;
  /** The keys of the configuration that say so many; absent: nothing in the configuration does. */
  readonly keys?: { readonly total: string; readonly perCaller: string };
}

/** Seconds after which it is worth trying again. */
const retrySeconds = 10;
const details = { code: "overloaded", retryable: true, retry_after: retrySeconds };

/** Says whose room is full, and what to do about it. */
export function describeNoRoom(lack: Lack, { things, total, perCaller, keys }: FullRoom): string {
  const key = (name: "total" | "perCaller"): string => (keys === undefined ? "" : `, \`${keys[name]}\``);
  switch (lack) {
    case "caller":
      return `You have as many ${things} as one caller may have (${perCaller}${key("perCaller")}). End some of them, or try again later.`;
    case "tenant":
      return `Your tenant has as many ${things} as one tenant may have (three quarters of ${total}${key("total")}). End some of them, or try again later.`;
    case "all":
      return `The gateway has as many ${things} as it may have (${total}${key("total")}). Try again later.`;
  }
}

/** The error for what there is no room for. */
export function noRoom(lack: Lack, room: FullRoom): RpcError {
  return new RpcError(rpcCodes.internalError, describeNoRoom(lack, room), details);
}

/** The HTTP refusal of a request that needs what there is no room for. */
export function refuseForRoom(lack: Lack, room: FullRoom, to?: RequestMessage): HttpRefusal {
  const error = new RpcError(rpcCodes.transport, describeNoRoom(lack, room), details);
  return new HttpRefusal(503, error, { to, headers: { "retry-after": String(retrySeconds) } });
}
