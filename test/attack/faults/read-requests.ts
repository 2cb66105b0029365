import type { Duplex } from "node:stream";

/** A request as this server reads it. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Head and body, as they came. */
  readonly text: string;
}

/** Reads the requests of a connection one by one; the gateway always says how long a body is. */
export function readRequests(socket: Duplex, onRequest: (request: RawRequest) => void): void {
  let bytes = Buffer.alloc(0);
  socket.on("data", (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = bytes.subarray(0, end).toString("latin1");
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (bytes.length < end + 4 + length) return;
      const body = bytes.subarray(end + 4, end + 4 + length).toString("utf8");
      bytes = bytes.subarray(end + 4 + length);
      const [method = "", target = ""] = head.split(" ", 2);
      onRequest({ method, target, body, text: `${head}\n\n${body}` });
    }
  });
}
