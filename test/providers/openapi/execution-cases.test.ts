import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { HttpBinding, Operation, Tool } from "../../../src/model/catalog.ts";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import type { HttpResult } from "../../../src/model/result.ts";
import { createHttpExecutor } from "../../../src/providers/http/execute.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { usualProviderLimits } from "../../limits.ts";
import { compileValue, surfaceOf } from "./compile-text.ts";
import { corpusNote, hasCorpus, readCorpusFile } from "./corpus.ts";

interface ExecutionCase {
  readonly id: string;
  readonly op: string;
  readonly args: Readonly<Record<string, JsonValue>>;
  readonly serve?: {
    readonly status: number;
    readonly ct: string;
    readonly body?: string;
    readonly base64?: string;
  };
  readonly expect: {
    readonly rawQuery?: readonly string[];
    readonly rawPath?: readonly string[];
    readonly rawPathQuery?: readonly string[];
    readonly header?: Readonly<Record<string, readonly string[]>>;
    readonly noHeader?: readonly string[];
    readonly body?: {
      readonly json?: JsonValue;
      readonly form?: readonly string[];
      readonly base64?: string;
      readonly multipart?: Readonly<Record<string, string | { readonly bytes: string }>>;
    };
    readonly response?: { readonly contains?: string; readonly isError?: boolean; readonly image?: string };
    readonly orReject?: boolean;
  };
}

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const file = "iVBORw0KGgo=";
const sample: { readonly spec: object; readonly cases: readonly ExecutionCase[] } = hasCorpus
  ? JSON.parse(readCorpusFile("execution-cases-sample.json").replaceAll(/\$(?:FILE|BYTES)/g, file))
  : { spec: {}, cases: [] };

/** Arguments grouped by location, as the tool takes them. */
function toArguments(binding: HttpBinding, grouped: Readonly<Record<string, JsonValue>>): JsonObject {
  const fromParameters = binding.parameters.flatMap((parameter) => {
    const values = Object(grouped[parameter.in]) as JsonObject;
    const value = values[parameter.name];
    return value === undefined ? [] : [[parameter.argument, value] as const];
  });
  const source = binding.body?.source;
  const { body } = grouped;
  if (body === undefined || source === undefined) return Object.fromEntries(fromParameters);
  if (source.kind === "argument") return Object.fromEntries([...fromParameters, [source.argument, body]]);
  const members = Object.entries(Object(body) as JsonObject).map(
    ([name, value]) =>
      [source.members.find((member) => member.name === name)?.argument ?? name, value] as const,
  );
  return Object.fromEntries([...fromParameters, ...members]);
}

describe.skipIf(!hasCorpus)(`what is sent for the sample of execution cases${corpusNote}`, () => {
  const requests: Received[] = [];
  let answer: ExecutionCase["serve"];
  let operations: readonly Operation[] = [];
  const client = createHttpClient();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(answer?.status ?? 200, { "content-type": answer?.ct ?? "application/json" });
    response.end(
      answer?.base64 === undefined ? (answer?.body ?? "{}") : Buffer.from(answer.base64, "base64"),
    );
  });

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const spec = JSON.parse(JSON.stringify(sample.spec).replaceAll("$BASE", base));
    ({ operations } = await compileValue(spec, surfaceOf("sample.json", null)));
  });

  afterAll(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });

  test.each(sample.cases.map((example) => [example.id, example] as const))("%s", async (_id, example) => {
    const operation = operations.find(({ id }) => id === example.op);
    if (operation?.binding.kind !== "http") throw new Error("The operation is missing.");
    const args = toArguments(operation.binding, example.args);
    requests.length = 0;
    answer = example.serve;
    const executor = createHttpExecutor(
      {
        headers: {},
        managedParameters: [],
        retries: { attempts: 0, budget: 1 },
        limits: usualProviderLimits,
      } as unknown as ProviderConfig,
      client,
    );
    const invocation = { arguments: args, signal: new AbortController().signal } as Invocation;
    const none = { reference: undefined, headers: {}, query: {} };
    const expected = example.expect;
    let result: HttpResult;
    try {
      result = (await executor.execute(invocation, operation as Tool, none)) as HttpResult;
    } catch (error) {
      expect(error).toBeInstanceOf(GatewayError);
      expect(expected.orReject, String(error)).toBe(true);
      expect(requests).toEqual([]);
      return;
    }
    const [received] = requests;
    const [path = "", query = ""] = (received?.url ?? "").split("?", 2);
    if (expected.rawPath) expect(expected.rawPath).toContain(path);
    if (expected.rawQuery) expect(expected.rawQuery).toContain(query);
    if (expected.rawPathQuery) expect(expected.rawPathQuery).toContain(received?.url);
    for (const [name, values] of Object.entries(expected.header ?? {}))
      expect(values).toContain(received?.headers[name]);
    for (const name of expected.noHeader ?? []) expect(received?.headers[name]).toBeUndefined();
    const body = received?.body ?? Buffer.alloc(0);
    if (expected.body?.json !== undefined) expect(JSON.parse(body.toString())).toEqual(expected.body.json);
    if (expected.body?.form) expect(expected.body.form).toContain(body.toString());
    if (expected.body?.base64) expect(body.toString("base64")).toBe(expected.body.base64);
    if (expected.body?.multipart) {
      const form = await new Response(body, {
        headers: { "content-type": received?.headers["content-type"] ?? "" },
      }).formData();
      for (const [name, value] of Object.entries(expected.body.multipart)) {
        const part = form.get(name);
        if (typeof value === "string") expect(part).toBe(value);
        else if (part instanceof File)
          expect(Buffer.from(await part.arrayBuffer()).toString("base64")).toBe(value.bytes);
        else throw new Error(`The part ${name} came without a file name.`);
      }
    }
    const { response } = expected;
    if (response?.isError !== undefined) expect(result.isError).toBe(response.isError);
    if (response?.contains) expect(Buffer.from(result.body).toString()).toContain(response.contains);
    if (response?.image) expect(Buffer.from(result.body).toString("base64")).toBe(response.image);
  });
});
