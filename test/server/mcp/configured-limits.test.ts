import { expect, test } from "vitest";
import type { LimitsConfig } from "../../../src/model/limits.ts";
import { createMcpLimits, defaultLimits } from "../../../src/server/mcp/limits.ts";
import { usualLimits } from "../../limits.ts";

test("what a file without limits says is what an endpoint has without a file", () => {
  const limits = createMcpLimits(() => usualLimits);
  expect({ ...limits }).toEqual({ ...defaultLimits, messages: usualLimits.requests });
  expect(usualLimits.requests).toMatchObject(defaultLimits.messages);
});

test("what the file says counts, and what it says after a reload", () => {
  let config: LimitsConfig = {
    ...usualLimits,
    requests: { ...usualLimits.requests, jsonDepth: 1 },
    sessions: { total: 2, perCaller: 3, idleMilliseconds: 4 },
    streams: { total: 5, perCaller: 6, lifeMilliseconds: 7, waitingBytes: 8 },
    results: { bytes: 9, keptBytes: 10, keptMilliseconds: 11 },
  };
  const limits = createMcpLimits(() => config);
  expect({ ...limits }).toEqual({
    ...defaultLimits,
    messages: config.requests,
    ...{ sessions: 2, sessionsPerPrincipal: 3, sessionIdleMilliseconds: 4 },
    ...{ streams: 5, streamsPerPrincipal: 6, streamLifeMilliseconds: 7, bufferedBytes: 8 },
    ...{ resultBytes: 9, keptResultBytes: 10, keptResultMilliseconds: 11 },
  });
  config = usualLimits;
  expect({ ...limits }).toEqual({ ...defaultLimits, messages: usualLimits.requests });
});
