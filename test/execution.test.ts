import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { loadConfig } from "../src/config/load-config.ts";
import { Gateway, operator, silentPeer } from "../src/gateway.ts";
import { newestModernVersion } from "../src/mcp/versions.ts";
import type { JsonObject } from "../src/model/json.ts";
import { createCallTool } from "../src/server/mcp/call-tool.ts";
import { gatewayMetaKeys } from "../src/server/mcp/gateway-meta.ts";
import { finished } from "./finished.ts";
import { cutOnly } from "./providers/call-at-once.ts";
import { type Loopback, listen } from "./upstream/loopback.ts";

/** What the upstream answers; `{}` as JSON by default. `$BASE` stands for the upstream itself. */
interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly encoding?: "gzip" | "br" | "deflate" | "zstd";
  readonly body?: string;
  readonly bodyBase64?: string;
}

/**
 * `case.yaml` of a folder, beside the `document.yaml` with the one operation that is called. The folder's name begins with what
 * it shows: R1 styles of parameters, R2 paths, R3 headers and cookies, R4 bodies, R5 servers, R6 credentials, R7 negotiation;
 * S1 JSON and status, S2 answers against their schema, S3 media, S4 what is too large.
 */
interface ExecutionCase {
  /** Members of the provider in the configuration file; `environment` below has what they refer to. */
  readonly provider?: JsonObject;
  /** The document is fetched from the upstream, where `$BASE` in it stands for the upstream; else it is a file with `base_url`. */
  readonly fetched?: boolean;
  /** The client's protocol version; the newest by default. */
  readonly version?: string;
  readonly arguments: JsonObject;
  /** Request line and headers as sent, without those that every request has; absent when nothing may be sent. */
  readonly request?: readonly string[];
  /** As sent, byte for byte; empty by default. `$BOUNDARY` stands for that of the content type. */
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly answer?: Answer;
  /** The requests after the first, and what each is answered. */
  readonly then?: readonly {
    readonly request: readonly string[];
    readonly body?: string;
    readonly answer: Answer;
  }[];
  /** The result of `tools/call` without `_meta`; what `{}` gives by default. `$ID` stands for a random id, `$BASE` for the upstream. */
  readonly result?: JsonObject;
  /** The same as exact text, where parsing would change it. */
  readonly resultText?: string;
  /** Headers of the answer that the client gets in `_meta`. */
  readonly passedHeaders?: JsonObject;
  /** Members of the result's `_meta`. */
  readonly meta?: JsonObject;
  /** The code of the refusal, before anything is sent. */
  readonly refused?: string;
  /** The code of the failure, after the request was sent. */
  readonly failed?: string;
}

interface Received {
  readonly head: readonly string[];
  readonly body: Buffer;
}

const root = join(import.meta.dirname, "cases/execution");
const cases = readdirSync(root).map((name, index) => {
  const example: ExecutionCase = parse(repeated(readFileSync(join(root, name, "case.yaml"), "utf8")));
  return { name, provider: `case-${index}`, document: join(root, name, "document.yaml"), example };
});
const plain: NonNullable<ExecutionCase["answer"]> = {
  headers: { "content-type": "application/json" },
  body: "{}",
};
const plainResult = { content: [{ type: "text", text: "{}" }], structuredContent: {}, isError: false };

const environment = { TOKEN: "t0ken", USERNAME: "ann", PASSWORD: "p:ß", KEY: "k&1", APP: "app1" };

const received: Received[] = [];
let answers: readonly Answer[] = [plain];
let upstream: Loopback;
let gateway: Gateway | undefined;

beforeAll(async () => {
  upstream = await listen(createServer(serve));
  const providers = cases.map(({ provider, document, example }) => {
    const openapi = example.fetched
      ? { document: `${upstream.url}/documents/${provider}.yaml` }
      : { document, base_url: upstream.url };
    return [provider, { ...example.provider, surfaces: { openapi } }];
  });
  const { config, diagnostics } = await loadConfig("gestalt.yaml", {
    environment,
    references: "resolve",
    workingDirectory: root,
    readFile: async () => Buffer.from(stringify({ providers: Object.fromEntries(providers) })),
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  gateway = new Gateway(config, { workingDirectory: root, environment: {}, log: () => {}, retry: false });
  const errors = (await gateway.start()).filter(({ severity }) => severity === "error");
  expect(errors).toEqual([]);
});

afterAll(async () => {
  await gateway?.close();
  await upstream[Symbol.asyncDispose]();
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = "", httpVersion, rawHeaders } = request;
  const wanted = cases.find(({ provider }) => url === `/documents/${provider}.yaml`);
  if (wanted !== undefined) {
    response.end(readFileSync(wanted.document, "utf8").replaceAll("$BASE", upstream.url));
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : [],
  );
  received.push({ head: [`${method} ${url} HTTP/${httpVersion}`, ...headers], body: Buffer.concat(chunks) });
  const answer = answers[received.length - 1] ?? plain;
  const { status = 200, encoding, body: text = "", bodyBase64 } = answer;
  const body = text.replaceAll("$BASE", upstream.url);
  const bytes = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, "base64");
  const encoded = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync, zstd: zstdCompressSync };
  const added = encoding === undefined ? {} : { "content-encoding": encoding };
  const own = Object.entries(answer.headers ?? {}).map(([name, value]) => [
    name,
    value.replaceAll("$BASE", upstream.url),
  ]);
  response.writeHead(status, { ...Object.fromEntries(own), ...added });
  response.end(encoding === undefined ? bytes : encoded[encoding](bytes));
}

/** The table of styles (OpenAPI 3.2 section 4.12.2.3), each in all of its forms. */
const styles = [
  "path-simple",
  "path-label",
  "path-matrix",
  "query-form",
  "query-space-delimited",
  "query-pipe-delimited",
  "header-simple",
  "cookie-form",
  "cookie-cookie",
];
const structured = styles.flatMap((style) =>
  ["array", "array-exploded", "object", "object-exploded"].map((form) => `R1-${style}-${form}`),
);
const primitive = styles
  .filter((style) => !style.endsWith("delimited"))
  .map((style) => `R1-${style}-primitive`);

test("there is a case for every style and form", () => {
  const named = new Set(cases.map(({ name }) => name));
  const deep = ["R1-query-deep-object", "R1-query-deep-object-nested", "R1-query-deep-object-array"];
  const missing = [...structured, ...primitive, ...deep].filter((name) => !named.has(name));
  expect(missing).toEqual([]);
  for (const { name } of cases) expect(name).toMatch(/^(?:R[1-7]|S[1-4])-[a-z0-9-]+$/);
});

describe("what a call sends and what comes of the answer", () => {
  test.each(cases)("$name", async ({ provider, example }) => {
    received.length = 0;
    answers = [example.answer ?? plain, ...(example.then ?? []).map((exchange) => exchange.answer)];
    if (gateway === undefined) throw new Error("The gateway did not start.");
    const view = gateway.snapshot.view("mcp");
    const call = createCallTool(
      gateway.broker,
      () => view,
      ({ caller, invoke }) => invoke(caller.principal),
      cutOnly,
    );
    const tool = view.tools.find((candidate) => candidate.provider === provider);
    const result = await finished(
      call(
        { name: tool?.name ?? "", arguments: example.arguments },
        {
          principal: operator,
          version: example.version ?? newestModernVersion,
          peer: silentPeer(),
          signal: new AbortController().signal,
          header: () => undefined,
          confirm: async () => operator,
          visit: undefined,
        },
      ),
    );
    const { _meta, ...visible } = result;
    if (example.refused !== undefined) {
      expect(received).toEqual([]);
      expect(_meta).toMatchObject({ [gatewayMetaKeys.error]: { code: example.refused } });
      return;
    }
    expect(received).toHaveLength(answers.length);
    for (const [index, exchange] of [example, ...(example.then ?? [])].entries()) {
      expectRequest(received[index], exchange);
    }
    if (example.failed !== undefined) {
      expect(_meta).toMatchObject({ [gatewayMetaKeys.error]: { code: example.failed } });
      return;
    }
    const text = JSON.stringify(visible)
      .replace(/(?<=gateway:\/\/results\/)[0-9a-f-]{36}/, () => "$ID")
      .replaceAll(upstream.url, () => "$BASE");
    if (example.resultText !== undefined) expect(text).toBe(example.resultText);
    else expect(JSON.parse(text)).toEqual(example.result ?? plainResult);
    if (example.passedHeaders !== undefined)
      expect(_meta).toMatchObject({ [gatewayMetaKeys.http]: { headers: example.passedHeaders } });
    if (example.meta !== undefined) expect(_meta).toMatchObject(example.meta);
  });
});

/** What every request has, in the order in which it is sent; the length when there is a body. */
function expectRequest(
  request: Received | undefined,
  example: Pick<ExecutionCase, "request" | "body" | "bodyBase64">,
): void {
  const { head = [], body = Buffer.alloc(0) } = request ?? {};
  const common = /^(?:host|connection|user-agent|accept-encoding|content-length): /;
  const boundary = /boundary=(\S+)$/.exec(head.find((line) => line.startsWith("content-type:")) ?? "")?.[1];
  const shown = (text: string): string =>
    boundary === undefined ? text : text.replaceAll(boundary, "$BOUNDARY");
  expect(head.filter((line) => !common.test(line)).map(shown)).toEqual(example.request);
  expect(head).toContain(`host: ${upstream.host}`);
  expect(head).toContain("user-agent: gestalt-gateway");
  const length = body.length > 0 ? `content-length: ${body.length}` : undefined;
  if (length !== undefined) expect(head).toContain(length);
  if (example.bodyBase64 !== undefined) expect(body.toString("base64")).toBe(example.bodyBase64);
  else expect(shown(body.toString())).toBe(example.body ?? "");
}

/** `${x*3}` stands for `xxx`, for texts that are too long to be written. */
function repeated(text: string): string {
  return text.replace(/\$\{(.)\*(\d+)\}/g, (_whole, character: string, times: string) =>
    character.repeat(Number(times)),
  );
}
