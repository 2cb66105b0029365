import { describe, expect, onTestFinished, test } from "vitest";
import { startBalancer, startRollingGateways } from "./rolling-gateways.ts";
import { startSteadyLoad } from "./steady-load.ts";

const isFull = process.env["ATTACK_FULL"] === "1";
const restarts = isFull ? 20 : 4;
const timeout = isFull ? 600_000 : 120_000;
const load = { tool: ["shop", "find"], right: "ok" } as const;

describe.runIf(process.platform === "linux")(
  `${restarts} rolling restarts of two gateways under load`,
  () => {
    test("behind a balancer that asks /readyz, with a shutdown delay: no request fails", {
      timeout,
    }, async (context) => {
      const gateways = await startRollingGateways({ reusePort: false });
      onTestFinished(() => gateways.stop());
      const balancer = await startBalancer(gateways.ports);
      if (balancer === undefined) return context.skip("haproxy is not installed: `apt-get install haproxy`.");
      onTestFinished(() => balancer.stop());
      await balancer.isUsing(2);
      // Sessions live in one process; what spreads them over two has to know which is which.
      const steady = startSteadyLoad({ ...load, url: balancer.url, sessions: false, callers: 3 });
      for (let restart = 0; restart < restarts; restart += 1) {
        await gateways.replace(restart % 2 === 0 ? 0 : 1, () => balancer.isUsing(2));
      }
      expect(await steady.stop()).toEqual([]);
      expect(steady.answered()).toBeGreaterThan(restarts * 20);
    });

    test("on one port that they share, with a shutdown delay: no request fails", { timeout }, async () => {
      const gateways = await startRollingGateways({ reusePort: true });
      onTestFinished(() => gateways.stop());
      const url = `http://127.0.0.1:${gateways.ports[0]}`;
      const steady = startSteadyLoad({ ...load, url, sessions: false, callers: 3 });
      for (let restart = 0; restart < restarts; restart += 1) {
        await gateways.replace(restart % 2 === 0 ? 0 : 1);
      }
      expect(await steady.stop()).toEqual([]);
      expect(steady.answered()).toBeGreaterThan(restarts * 20);
    });
  },
);
