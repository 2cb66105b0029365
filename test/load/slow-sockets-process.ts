// Slow clients in a process of their own: `node slow-sockets-process.ts URL HEADS BODIES` opens so many connections that send a byte in a second
// of a head, and of a body, prints `open` when all are, and when the last of them has ended how long each kind lasted at most.
import { once } from "node:events";
import { connect } from "node:net";

const [url = "", heads = "0", bodies = "0"] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const starts = {
  heads: `POST /mcp HTTP/1.1\r\nhost: ${host}\r\nx-slow: `,
  bodies: `POST /mcp HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{`,
};
type Kind = keyof typeof starts;
const longest: Record<Kind, number> = { heads: 0, bodies: 0 };
const endings: Promise<void>[] = [];

async function open(kind: Kind): Promise<void> {
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {
    // A reset is an end as well.
  });
  await once(socket, "connect");
  socket.write(starts[kind]);
  const began = performance.now();
  const drip = setInterval(() => socket.write("x"), 1_000);
  socket.resume();
  const end = async (): Promise<void> => {
    await once(socket, "close");
    clearInterval(drip);
    longest[kind] = Math.max(longest[kind], performance.now() - began);
  };
  endings.push(end());
}

const kinds = [
  ...Array.from({ length: Number(heads) }, (): Kind => "heads"),
  ...Array.from({ length: Number(bodies) }, (): Kind => "bodies"),
];
// As many at a time as wait to be accepted without loss.
for (let index = 0; index < kinds.length; index += 100)
  await Promise.all(kinds.slice(index, index + 100).map(open));
process.stdout.write("open\n");
await Promise.all(endings);
process.stdout.write(`${JSON.stringify(longest)}\n`);
