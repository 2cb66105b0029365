import type { ServerResponse } from "node:http";

/** So much of an answer is under way at a time; what is smaller fits into the buffers of the operating system. */
const sliceBytes = 64 * 1024;

/**
 * Ends a response whose head is written with the last bytes of its body. Large ones go in pieces, so that it shows whether the client
 * takes anything: one that does not loses the connection (see `evict-slow-clients.ts`).
 */
export function endResponse(response: ServerResponse, bytes: Buffer): void {
  if (bytes.length <= sliceBytes) {
    response.end(bytes);
    return;
  }
  let sent = 0;
  const sendMore = (): void => {
    let isTaken = true;
    while (isTaken && sent < bytes.length) {
      isTaken = response.write(bytes.subarray(sent, sent + sliceBytes));
      sent += sliceBytes;
    }
    if (sent >= bytes.length) response.end();
  };
  response.on("drain", sendMore);
  sendMore();
}
