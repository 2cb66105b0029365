import type { ServerResponse } from "node:http";

/** How long a client may take nothing of its answer before it counts as gone. */
export const stalledMilliseconds = 30_000;

/** So much of an answer is under way at a time; what is smaller fits into the buffers of the operating system. */
const sliceBytes = 64 * 1024;

/**
 * Ends a response whose head is written with the last bytes of its body. A client that does not take 64 KiB of them in
 * `stalled` milliseconds loses the connection: what it leaves lying would be kept for ever.
 */
export function endResponse(response: ServerResponse, bytes: Buffer, stalled = stalledMilliseconds): void {
  if (bytes.length <= sliceBytes) {
    response.end(bytes);
    return;
  }
  let sent = 0;
  let overdue: NodeJS.Timeout | undefined;
  const sendMore = (): void => {
    clearTimeout(overdue);
    overdue = setTimeout(() => response.destroy(), stalled).unref();
    let isTaken = true;
    while (isTaken && sent < bytes.length) {
      isTaken = response.write(bytes.subarray(sent, sent + sliceBytes));
      sent += sliceBytes;
    }
    if (sent >= bytes.length) response.end();
  };
  response.on("drain", sendMore);
  response.once("close", () => clearTimeout(overdue));
  sendMore();
}
