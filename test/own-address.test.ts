import { describe, expect, test } from "vitest";
import { createOwnAddress } from "../src/own-address.ts";

function addressOf(host: string, baseUrl?: string) {
  return createOwnAddress(() => ({ host, port: 8080, baseUrl }));
}

describe("the base URLs of a gateway", () => {
  test.each<readonly [string, readonly string[]]>([
    ["127.0.0.1", ["http://127.0.0.1:8080", "http://localhost:8080"]],
    ["::1", ["http://[::1]:8080", "http://localhost:8080"]],
    ["localhost", ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"]],
    // What listens at other addresses of this computer may be somebody else's.
    ["127.0.0.2", ["http://127.0.0.2:8080"]],
    ["10.0.0.5", ["http://10.0.0.5:8080"]],
    ["0.0.0.0", ["http://0.0.0.0:8080"]],
  ])("that listens on %s", (host, urls) => {
    const address = addressOf(host);
    expect(address.baseUrls()).toEqual(urls);
    for (const url of urls) expect(address.baseUrlFor(new URL(url).host.toUpperCase())).toBe(url);
    for (const other of [undefined, "localhost:9", "evil.example:8080", "127.0.0.3:8080"])
      expect(address.baseUrlFor(other)).toBe(urls[0]);
  });

  test("is the one of the file, where that names one", () => {
    const address = addressOf("127.0.0.1", "https://gw.example.com/tools/");
    expect(address.baseUrls()).toEqual(["https://gw.example.com/tools"]);
    expect(address.baseUrlFor("localhost:8080")).toBe("https://gw.example.com/tools");
  });

  test("is where it listens, once it does", () => {
    const address = addressOf("127.0.0.1");
    address.listensOn("http://127.0.0.1:49152");
    expect(address.baseUrls()).toEqual(["http://127.0.0.1:49152", "http://localhost:49152"]);
  });
});
