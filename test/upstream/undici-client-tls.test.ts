import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { expect, test } from "vitest";
import { get, type Loopback, listen, startClient, textOf } from "./loopback.ts";

const folder = new URL("./certificates/", import.meta.url);
const pem = (name: string): string => readFileSync(new URL(`${name}.pem`, folder), "utf8");

function startHttps(certificate: string): Promise<Loopback> {
  const server = createServer({ key: pem("key"), cert: pem(certificate) }, (_request, response) => {
    response.end("secret");
  });
  return listen(server, "https");
}

test("a certificate of a trusted authority is accepted", async () => {
  await using upstream = await startHttps("self-signed");
  await using client = startClient({ certificateAuthorities: [pem("self-signed")] });
  const response = await client.request(get(upstream.url));
  expect(textOf(response.body)).toBe("secret");
});

test.each([
  ["self-signed", [], "its TLS certificate is self-signed."],
  ["expired", ["expired"], "its TLS certificate has expired."],
  ["other-host", ["other-host"], "its TLS certificate belongs to another host. Check the host in the URL."],
])("refused: %s", async (certificate, trusted, reason) => {
  await using upstream = await startHttps(certificate);
  await using client = startClient({ certificateAuthorities: trusted.map(pem) });
  await expect(client.request(get(upstream.url))).rejects.toMatchObject({
    code: "upstream_failed",
    message: expect.stringContaining(`Could not connect to ${upstream.host}: ${reason}`),
  });
  await expect.poll(() => upstream.connections.size).toBe(0);
});
