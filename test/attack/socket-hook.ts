import { Socket } from "node:net";

/** A connection that something began to make in this process. */
export interface Attempt {
  /** As it was asked for: a name or an address. */
  readonly host: string;
  readonly port: number;
  /** Whether the room `upstream` asked for it. */
  readonly throughDoor: boolean;
  /** The addresses that were tried in the end. */
  readonly addresses: string[];
}

/** What is seen of all sockets of this process. */
export interface SocketHook extends Disposable {
  readonly attempts: readonly Attempt[];
}

const door = /[\\/]src[\\/]upstream[\\/]create-connector\.ts/;

/** Watches every outgoing connection of this process, whoever makes it, until it is disposed of. Those that stand already are not seen. */
export function hookSockets(): SocketHook {
  const attempts: Attempt[] = [];
  const original = Socket.prototype.connect;
  function connect(this: Socket, ...given: unknown[]): Socket {
    const { host, port } = readTarget(given);
    const attempt = { host, port, throughDoor: door.test(stackHere()), addresses: [] as string[] };
    attempts.push(attempt);
    this.on("connectionAttempt", (address: string) => attempt.addresses.push(address));
    return Reflect.apply(original, this, given);
  }
  Socket.prototype.connect = connect;
  return {
    attempts,
    [Symbol.dispose]() {
      Socket.prototype.connect = original;
    },
  };
}

/** `net.connect` hands over a list of options and callback, all others what they were given. */
function readTarget(given: readonly unknown[]): { readonly host: string; readonly port: number } {
  const [first] = given;
  const options: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof options !== "object" || options === null)
    return { host: String(given[1]), port: Number(options) };
  const host = "host" in options ? String(options.host) : "localhost";
  return { host, port: "port" in options ? Number(options.port) : 0 };
}

function stackHere(): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const { stack = "" } = new Error("here");
  Error.stackTraceLimit = before;
  return stack;
}
