import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { ClientProblem, type ClientRules } from "../../src/authorization-server/client-rules.ts";
import { createClientRules } from "../../src/authorization-server/create-client-rules.ts";
import type { AuthorizationServerConfig } from "../../src/model/auth-config.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { HttpClientOptions } from "../../src/upstream/undici-client.ts";
import { type Loopback, listen, startClient } from "../upstream/loopback.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

const pem = (name: string): string =>
  readFileSync(new URL(`../upstream/certificates/${name}.pem`, import.meta.url), "utf8");

/** A way out that leads to the hosts of {@link startDocuments}. */
export const trustingDocuments: HttpClientOptions = {
  allowedHosts: () => ["localhost"],
  certificateAuthorities: [pem("self-signed")],
};

/** As the file has it by default. */
export const serverSettings: AuthorizationServerConfig = {
  dynamicRegistration: { perHour: 20, mostUnused: 1_000, unusedMilliseconds: day },
  clientIdMetadata: { allowedHosts: undefined },
  redirectSchemes: ["cursor", "vscode"],
  accessTokenMilliseconds: hour,
  refreshTokenMilliseconds: 30 * day,
  clients: {},
};

/** The rules for clients over a store in a file, with a clock that only the test moves. */
export interface RulesHarness {
  readonly rules: ClientRules;
  readonly store: Store;
  readonly logged: string[];
  /** What the file says; replaced as by a reload. */
  settings: AuthorizationServerConfig | undefined;
  time: number;
  /** Registers by a request as clients send it. */
  register(metadata: JsonValue, address?: string): Promise<JsonObject>;
  /** What is refused, and why; fails where nothing is. */
  refused(work: Promise<unknown>): Promise<ClientProblem>;
}

export async function createRulesHarness(
  options: { readonly settings?: Partial<AuthorizationServerConfig>; readonly http?: HttpClientOptions } = {},
): Promise<RulesHarness> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-clients-"));
  const http = startClient(options.http ?? trustingDocuments);
  const logged: string[] = [];
  const now = () => harness.time;
  const store = await openSqliteStore(join(folder, "gateway.db"), { now });
  onTestFinished(async () => {
    await http.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const rules = createClientRules({
    ...{ http, now, store: () => store },
    settings: () => harness.settings,
    log: (message) => void logged.push(message),
  });
  const harness: RulesHarness = {
    ...{ rules, store, logged, time: Date.parse("2026-11-20T12:00:00Z") },
    settings: { ...serverSettings, ...options.settings },
    register: (metadata, address = "192.0.2.1") =>
      rules.register(new TextEncoder().encode(JSON.stringify(metadata)), "application/json", address),
    async refused(work) {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error instanceof ClientProblem) return error;
      throw new Error(`Not refused as a client: ${String(error)}`);
    },
  };
  return harness;
}

/** A host of documents, as `localhost`, with a certificate that the rules of the harness trust. */
export async function startDocuments(
  listener: RequestListener,
): Promise<Loopback & { readonly asked: string[]; readonly base: string }> {
  const asked: string[] = [];
  const server = createServer({ key: pem("key"), cert: pem("self-signed") }, (request, response) => {
    asked.push(request.url ?? "");
    listener(request, response);
  });
  const loopback = await listen(server, "https");
  onTestFinished(() => loopback[Symbol.asyncDispose]());
  return { ...loopback, asked, base: loopback.url.replace("127.0.0.1", "localhost") };
}
