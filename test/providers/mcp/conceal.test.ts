import { expect, onTestFinished, test } from "vitest";
import { createConcealer } from "../../../src/providers/mcp/conceal.ts";
import { Secret } from "../../../src/secret.ts";
import { openProvider, until } from "./open-provider.ts";
import { listenOn, respond } from "./peers.ts";
import { startScripted } from "./scripted-upstream.ts";

const canary = "CANARY+secret/123";
const basic = `Basic ${Buffer.from(`ada:${canary}`).toString("base64")}`;

test.each([
  ["as it is", new Secret(canary), canary],
  ["without its scheme", new Secret(`Bearer ${canary}`), canary],
  ["as in a URL", new Secret(canary), encodeURIComponent(canary)],
  ["basic, as sent", new Secret(basic), basic],
  ["basic, encoded", new Secret(basic), basic.slice("Basic ".length)],
  ["basic, the password", new Secret(basic), canary],
])("a secret is taken out: %s", (_name, secret, said) => {
  expect(createConcealer([secret])(`No access for ${said}!`)).toBe("No access for [secret]!");
});

test("what is no secret stays", () => {
  expect(createConcealer(["plain", new Secret(""), new Secret("abc")])("plain abc")).toBe("plain abc");
});

test("a redirect that repeats the query is named without it", async () => {
  const peer = await listenOn((request, response) => {
    response.writeHead(307, { location: `/v2${request.url}` }).end();
  });
  onTestFinished(() => peer.close());
  const credential = { reference: undefined, headers: {}, query: { api_key: new Secret(canary) } };
  const failure: unknown = await openProvider(peer.url, { credential }).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining(`\`http://127.0.0.1:${peer.port}/v2/mcp?…\``),
  });
  expect(String(failure)).not.toContain("CANARY");
});

test.each([
  [
    "credential",
    { credential: { reference: undefined, headers: { "x-key": new Secret(canary) }, query: {} } },
  ],
  ["provider's header", { headers: { "x-key": new Secret(canary) } }],
])("an error that repeats a %s is quoted without it", async (_name, options) => {
  const upstream = await startScripted({
    call: (message, response) => {
      const error = { code: -32000, message: `Invalid key ${canary}` };
      respond(response, 200, { jsonrpc: "2.0", id: message.id, error });
    },
  });
  const provider = await openProvider(upstream.url, options);
  await expect(provider.call("go")).rejects.toMatchObject({
    message: expect.stringContaining("Invalid key [secret]"),
  });
});

test("a local command that writes its secrets to its log is quoted without them", async () => {
  const script = `process.stderr.write("key is " + process.env.KEY + "\\n");`;
  const environment = { KEY: new Secret(canary) };
  const logged: string[] = [];
  await openProvider([process.execPath, "-e", script], { environment, logged }).catch(() => undefined);
  await until(() => logged.length > 0);
  expect(logged[0]).toContain("key is [secret]");
});
