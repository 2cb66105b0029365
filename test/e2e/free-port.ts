import { once } from "node:events";
import { createServer } from "node:net";

/** A port of 127.0.0.1 for programs that take no 0. Somebody else could take it meanwhile; then they don't start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("There is no free port.");
  return address.port;
}
