// An upstream in a process of its own: `node upstream-process.ts [milliseconds]` answers every request with the same short list of JSON, after
// a wait, and prints its URL first. A path such as `/wait/250` waits for so many milliseconds.
import { createServer } from "node:http";

const usual = Number(process.argv[2] ?? 0);
const body = JSON.stringify({
  items: Array.from({ length: 12 }, (_none, id) => ({ id, name: "a book", price: 9.5 })),
});
const server = createServer((request, response) => {
  request.resume();
  const answer = (): void => {
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
  };
  const wait = Number(/^\/wait\/(\d+)/.exec(request.url ?? "")?.[1] ?? usual);
  if (wait === 0) answer();
  else setTimeout(answer, wait);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The upstream has no port.");
  process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
