import { expect, test } from "vitest";
import { normalizeLimits, normalizeProviderLimits } from "../../src/config/normalize-limits.ts";
import { usualDocumentLimits } from "../../src/documents/document-limits.ts";

const kibi = 1024;
const mebi = 1024 * kibi;
const seconds = 1_000;
const minutes = 60 * seconds;

test("a file without limits is protected by these", () => {
  expect(normalizeLimits({})).toEqual({
    requests: {
      ...{ headerBytes: 16 * kibi, headers: 64, headerMilliseconds: 10 * seconds },
      ...{ bodyBytes: mebi, bodyPauseMilliseconds: 30 * seconds, bodyBytesPerSecond: kibi },
      ...{ jsonDepth: 64, jsonValues: 50_000, jsonStringBytes: 512 * kibi, argumentBytes: 256 * kibi },
    },
    connections: {
      ...{ total: 20_000, perAddress: 15_000 },
      ...{ keepAliveMilliseconds: 75 * seconds, stalledMilliseconds: 10 * seconds },
    },
    sessions: { total: 10_000, perCaller: 50, idleMilliseconds: 24 * 60 * minutes },
    streams: { total: 10_000, perCaller: 50, lifeMilliseconds: 60 * minutes, waitingBytes: mebi },
    calls: { total: 512, perTenant: 64, queue: 128, queueMilliseconds: 10 * seconds },
    rates: [],
    results: { bytes: 1_000_000, keptBytes: 64 * mebi, keptMilliseconds: 10 * minutes },
    overload: { delayMilliseconds: 200, memoryBytes: undefined, requests: 2_048 },
    catalog: { tools: 20_000, listMilliseconds: 5 * seconds },
    documents: { ...usualDocumentLimits },
  });
  expect(usualDocumentLimits).toMatchObject({ nodes: 4_000_000, depth: 256, operations: 50_000 });
  expect(normalizeProviderLimits()).toEqual({
    concurrency: 48,
    ...{ connectMilliseconds: 3 * seconds, tlsMilliseconds: 5 * seconds },
    ...{ firstByteMilliseconds: 30 * seconds, pauseMilliseconds: 60 * seconds },
    ...{ callMilliseconds: 60 * seconds, longestCallMilliseconds: 10 * minutes },
    ...{ answerBytes: 10 * mebi, eventBytes: undefined },
    breaker: { failures: 5, pauseMilliseconds: 5 * seconds },
  });
});

test("each key is read for what it says, and for nothing else", () => {
  expect(
    normalizeLimits({
      requests: {
        ...{ header_size: "1KiB", header_count: 2, header_time: "3s", body_size: "4KiB", body_pause: "5s" },
        ...{ body_rate: "6KiB", json_depth: 7, json_values: 8, json_string: "9KiB", arguments_size: "10KiB" },
      },
      connections: { total: 11, per_address: 12, keep_alive: "13s", stalled: "14s" },
      sessions: { total: 15, per_caller: 16, idle: "17s" },
      streams: { total: 18, per_caller: 19, life: "20s", waiting_size: "21KiB" },
      calls: { total: 22, per_tenant: 23, queue: 24, queue_time: "25s" },
      results: { size: "26KiB", kept_size: "27KiB", kept_time: "28s" },
      overload: { delay: "29s", memory: "30KiB", requests: 31 },
      catalog: { tools: 32, list_time: "33s" },
      documents: { size: "34KiB", nodes: 35, depth: 36, operations: 37 },
    }),
  ).toEqual({
    requests: {
      ...{ headerBytes: kibi, headers: 2, headerMilliseconds: 3 * seconds, bodyBytes: 4 * kibi },
      ...{ bodyPauseMilliseconds: 5 * seconds, bodyBytesPerSecond: 6 * kibi, jsonDepth: 7, jsonValues: 8 },
      ...{ jsonStringBytes: 9 * kibi, argumentBytes: 10 * kibi },
    },
    connections: {
      ...{ total: 11, perAddress: 12 },
      ...{ keepAliveMilliseconds: 13 * seconds, stalledMilliseconds: 14 * seconds },
    },
    sessions: { total: 15, perCaller: 16, idleMilliseconds: 17 * seconds },
    streams: { total: 18, perCaller: 19, lifeMilliseconds: 20 * seconds, waitingBytes: 21 * kibi },
    calls: { total: 22, perTenant: 23, queue: 24, queueMilliseconds: 25 * seconds },
    rates: [],
    results: { bytes: 26 * kibi, keptBytes: 27 * kibi, keptMilliseconds: 28 * seconds },
    overload: { delayMilliseconds: 29 * seconds, memoryBytes: 30 * kibi, requests: 31 },
    catalog: { tools: 32, listMilliseconds: 33 * seconds },
    documents: { bytes: 34 * kibi, nodes: 35, depth: 36, operations: 37 },
  });
});

test("a provider's own limits come before those of all, key by key", () => {
  const common = {
    ...{ concurrency: 1, connect_time: "2s", tls_time: "3s", first_byte_time: "4s", pause: "5s" },
    ...{ call_time: "6s", longest_call_time: "7s", answer_size: "8KiB", event_size: "9KiB" },
    breaker: { failures: 10, pause: "11s" },
  };
  const ofAll = {
    ...{ concurrency: 1, connectMilliseconds: 2 * seconds, tlsMilliseconds: 3 * seconds },
    ...{ firstByteMilliseconds: 4 * seconds, pauseMilliseconds: 5 * seconds },
    ...{ callMilliseconds: 6 * seconds, longestCallMilliseconds: 7 * seconds },
    ...{ answerBytes: 8 * kibi, eventBytes: 9 * kibi },
    breaker: { failures: 10, pauseMilliseconds: 11 * seconds },
  };
  expect(normalizeProviderLimits(common)).toEqual(ofAll);
  expect(normalizeProviderLimits(common, { pause: "12s", breaker: { failures: 0 } })).toEqual({
    ...ofAll,
    pauseMilliseconds: 12 * seconds,
    breaker: { failures: 0, pauseMilliseconds: 11 * seconds },
  });
});
