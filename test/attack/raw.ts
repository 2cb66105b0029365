import { connect, type Socket } from "node:net";

/** How long a server that waits for more than it was sent is let wait. */
const patienceMilliseconds = 1_000;
const probe = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

/**
 * Sends bytes over a connection of their own and resolves to all that comes back. After the first answer a plain last request
 * follows, so that whatever was smuggled in between is carried out before the connection closes.
 */
export function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    let text = "";
    let isProbed = false;
    const enough = setTimeout(() => socket.destroy(), patienceMilliseconds);
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      if (isProbed) return;
      isProbed = true;
      socket.write(probe);
    });
    // A server that refuses may close before all is written.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(enough);
      resolve(text);
    });
    socket.write(Buffer.from(bytes, "latin1"));
  });
}

/** The status of each answer, in order. */
export function statusesOf(answers: string): readonly number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** A connection of its own, to write to piece by piece. */
export interface RawConnection {
  write(bytes: string): void;
  /** All that came, once the other side has closed. */
  readonly closed: Promise<string>;
  readonly socket: Socket;
}

/** Opens one. */
export function openConnection(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  // A server that refuses may close before all is written.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  return { write: (bytes) => void socket.write(Buffer.from(bytes, "latin1")), closed, socket };
}
