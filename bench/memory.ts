// `npm run bench:memory`: what the gateway takes with 1,000 tools and 1,000 idle streams, and what clients leave behind that go without
// a word. Runs the built one; `node bench/memory.ts src` runs the sources, which take more for themselves.
//
// `node bench/memory.ts dist 1000 100000`: so many streams, so many sessions.
import type { MemoryFigures } from "../test/memory/gateway-process.ts";
import { type MeasuredGateway, startMeasuredGateway } from "../test/memory/measure-gateway.ts";

const [from = "dist", streamCount = "1000", sessionCount = "100000"] = process.argv.slice(2);
const start = (): Promise<MeasuredGateway> => startMeasuredGateway(1_000, from === "src" ? "src" : "dist");
const inMegabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

const tell = ({ rss, rested, heap }: MemoryFigures): string =>
  `RSS ${inMegabytes(rss)}, ${inMegabytes(rested)} once it has rested, heap ${inMegabytes(heap)}`;

{
  await using gateway = await start();
  console.log(`1000 tools, no client: ${tell(await gateway.measure("rest"))}`);
  let opened = 0;
  await gateway.times(Number(streamCount), () => {
    opened += 1;
    return gateway.openStream(opened % 2 === 0 ? "legacy" : "modern");
  });
  console.log(`1000 tools, ${streamCount} idle streams: ${tell(await gateway.measure("rest"))}`);
}

const waves: Readonly<Record<string, (gateway: MeasuredGateway) => Promise<unknown>>> = {
  "sessions that only began": (gateway) => gateway.initialize(),
  "sessions with a request": (gateway) => gateway.useSession(),
  "sessions with a stream that was dropped": async (gateway) =>
    (await gateway.openStream("legacy")).destroy(),
  "sessions with a request and a stream that was dropped": async (gateway) =>
    (await gateway.openStream("legacy", await gateway.useSession())).destroy(),
  "`subscriptions/listen` that was dropped": async (gateway) =>
    (await gateway.openStream("modern")).destroy(),
};
for (const [name, act] of Object.entries(waves)) {
  await using gateway = await start();
  await gateway.times(100, () => gateway.initialize());
  await gateway.times(50, () => act(gateway));
  const before = await gateway.measure();
  await gateway.times(Number(sessionCount), () => act(gateway));
  const { heap } = await gateway.measure();
  console.log(`${sessionCount} × ${name}: heap + ${inMegabytes(heap - before.heap)}`);
}
