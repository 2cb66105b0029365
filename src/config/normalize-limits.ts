import { usualDocumentLimits } from "../documents/document-limits.ts";
import type {
  Limits,
  LimitsOfProviders,
  OverloadProtection,
  RateLimit,
  ShutdownSettings,
} from "../model/config-file.generated.ts";
import type { LimitsConfig, ProviderLimits, RateRule } from "../model/limits.ts";
import { readDuration } from "./duration.ts";
import { readSize } from "./size.ts";

const time = (written: string | undefined, usual: string): number => readDuration(written ?? usual);
const size = (written: number | string | undefined, usual: string): number => readSize(written ?? usual);

/** Fills in what the file leaves open. */
export function normalizeLimits(limits: Limits): LimitsConfig {
  const { requests = {}, connections = {}, sessions = {}, streams = {}, calls = {}, results = {} } = limits;
  const { catalog = {}, documents = {} } = limits;
  return {
    requests: {
      headerBytes: size(requests.header_size, "16KiB"),
      headers: requests.header_count ?? 64,
      headerMilliseconds: time(requests.header_time, "10s"),
      bodyBytes: size(requests.body_size, "1MiB"),
      bodyPauseMilliseconds: time(requests.body_pause, "30s"),
      bodyBytesPerSecond: size(requests.body_rate, "1KiB"),
      jsonDepth: requests.json_depth ?? 64,
      jsonValues: requests.json_values ?? 50_000,
      jsonStringBytes: size(requests.json_string, "512KiB"),
      argumentBytes: size(requests.arguments_size, "256KiB"),
    },
    connections: {
      total: connections.total ?? 20_000,
      perAddress: connections.per_address ?? 15_000,
      keepAliveMilliseconds: time(connections.keep_alive, "75s"),
      stalledMilliseconds: time(connections.stalled, "10s"),
    },
    sessions: {
      total: sessions.total ?? 10_000,
      perCaller: sessions.per_caller ?? 50,
      idleMilliseconds: time(sessions.idle, "24h"),
    },
    streams: {
      total: streams.total ?? 10_000,
      perCaller: streams.per_caller ?? 50,
      lifeMilliseconds: time(streams.life, "60m"),
      waitingBytes: size(streams.waiting_size, "1MiB"),
    },
    calls: {
      total: calls.total ?? 512,
      perTenant: calls.per_tenant ?? 64,
      queue: calls.queue ?? 128,
      queueMilliseconds: time(calls.queue_time, "10s"),
    },
    rates: (limits.rates ?? []).map(normalizeRate),
    results: {
      bytes: size(results.size, "1MB"),
      keptBytes: size(results.kept_size, "64MiB"),
      keptMilliseconds: time(results.kept_time, "10m"),
    },
    overload: normalizeOverload(limits.overload ?? {}),
    catalog: { tools: catalog.tools ?? 20_000, listMilliseconds: time(catalog.list_time, "5s") },
    documents: {
      bytes: documents.size === undefined ? usualDocumentLimits.bytes : readSize(documents.size),
      nodes: documents.nodes ?? usualDocumentLimits.nodes,
      depth: documents.depth ?? usualDocumentLimits.depth,
      operations: documents.operations ?? usualDocumentLimits.operations,
    },
  };
}

/** A provider's own limits, then those of all providers, then the defaults. */
export function normalizeProviderLimits(
  common: LimitsOfProviders = {},
  own: LimitsOfProviders = {},
): ProviderLimits {
  const chosen = { ...common, ...own, breaker: { ...common.breaker, ...own.breaker } };
  return {
    concurrency: chosen.concurrency ?? 48,
    connectMilliseconds: time(chosen.connect_time, "3s"),
    tlsMilliseconds: time(chosen.tls_time, "5s"),
    firstByteMilliseconds: time(chosen.first_byte_time, "30s"),
    pauseMilliseconds: time(chosen.pause, "60s"),
    callMilliseconds: time(chosen.call_time, "60s"),
    longestCallMilliseconds: time(chosen.longest_call_time, "10m"),
    answerBytes: size(chosen.answer_size, "10MiB"),
    eventBytes: chosen.event_size === undefined ? undefined : readSize(chosen.event_size),
    breaker: {
      failures: chosen.breaker.failures ?? 5,
      pauseMilliseconds: time(chosen.breaker.pause, "5s"),
    },
  };
}

/** How the gateway stops. */
export function normalizeShutdown(shutdown: ShutdownSettings): {
  readonly delayMilliseconds: number;
  readonly graceMilliseconds: number;
} {
  return { delayMilliseconds: time(shutdown.delay, "0s"), graceMilliseconds: time(shutdown.grace, "30s") };
}

function normalizeOverload(overload: OverloadProtection): LimitsConfig["overload"] {
  return {
    delayMilliseconds: time(overload.delay, "200ms"),
    memoryBytes: overload.memory === undefined ? undefined : readSize(overload.memory),
    requests: overload.requests ?? 2_048,
  };
}

const rateUnits: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

function normalizeRate({ rate, burst, per = [], tenant, provider, tool }: RateLimit): RateRule {
  const [amount = "", unit = ""] = rate.split("/");
  const calls = Number(amount);
  const milliseconds = rateUnits[unit] ?? 1_000;
  const inTenSeconds = Math.ceil((calls * 10_000) / milliseconds);
  return {
    calls,
    milliseconds,
    burst: burst ?? Math.min(calls, Math.max(10, inTenSeconds)),
    per,
    ...{ tenant, provider, tool },
    text: rate,
  };
}
