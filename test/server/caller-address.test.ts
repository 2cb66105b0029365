import { expect, test } from "vitest";
import { openStage, type StageOptions } from "./stage.ts";

/** The address that an attempt to sign in counts for. */
async function addressOf(
  forwarded: string | readonly string[] | undefined,
  options: StageOptions,
): Promise<string | undefined> {
  await using stage = await openStage(options);
  await stage.send("POST", "/api/v1/auth/login", {
    headers: {
      "content-type": "application/json",
      ...(forwarded !== undefined && { "x-forwarded-for": forwarded }),
    },
    body: JSON.stringify({ name: "ada", password: "correct horse" }),
  });
  return stage.attempts[0]?.address;
}

const behindProxy = { trustedProxies: ["127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"] };
const own = "127.0.0.1";

test.each([
  ["nothing was said", undefined, own],
  ["the proxy names the client", "192.0.2.1", "192.0.2.1"],
  ["two proxies", "192.0.2.1, 10.1.2.3", "192.0.2.1"],
  ["what the client wrote itself stands further left", "198.51.100.9, 192.0.2.1, 10.1.2.3", "192.0.2.1"],
  ["in several headers", ["198.51.100.9", "192.0.2.1, 10.1.2.3"], "192.0.2.1"],
  ["IPv6", "2001:db8::1, 2001:db8:ffff::2", "2001:db8::1"],
  ["with a port", "192.0.2.1:4711", "192.0.2.1"],
  ["IPv6 with a port", "[2001:db8::1]:4711", "2001:db8::1"],
  ["IPv4 as IPv6, trusted", "192.0.2.1, ::ffff:10.1.2.3", "192.0.2.1"],
  ["without spaces", "192.0.2.1,10.1.2.3", "192.0.2.1"],
  ["all are proxies", "10.0.0.1, 10.1.2.3", own],
  ["a name", "client.example.com", own],
  ["unknown", "unknown", own],
  ["a hidden one (RFC 7239)", "_hidden", own],
  ["an address beyond all", "999.1.1.1", own],
  ["nothing behind the comma", "192.0.2.1,", own],
  ["nothing at all", "", own],
  ["rubbish in front of what counts", "rubbish, 192.0.2.1", "192.0.2.1"],
  ["rubbish behind it", "192.0.2.1, rubbish", own],
  ["a zone", "fe80::1%eth0", own],
  ["a network", "192.0.2.0/24", own],
  ["very many proxies", `192.0.2.1${", 10.0.0.1".repeat(100)}`, own],
])("behind a trusted proxy: %s", async (_name, forwarded, address) => {
  expect(await addressOf(forwarded, behindProxy)).toBe(address);
});

test("nobody else is believed", async () => {
  expect(await addressOf("192.0.2.1", {})).toBe(own);
  expect(await addressOf("192.0.2.1", { trustedProxies: ["10.0.0.0/8", "::/8"] })).toBe(own);
});
