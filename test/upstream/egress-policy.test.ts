import type { LookupAddress } from "node:dns";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { connect } from "node:net";
import { buildConnector } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type AddressLookup,
  type ConnectorFactory,
  createPublicConnector,
} from "../../src/upstream/egress-policy.ts";
import { hosts } from "./hosts.ts";
import { get, type Loopback, listen, startClient, startHttp, textOf } from "./loopback.ts";

/** A server that no request of an upstream's making may reach. */
let canary: Loopback;
let port: string;
beforeAll(async () => {
  canary = await startHttp((_request, response) => response.end("inside"));
  port = new URL(canary.url).port;
});
afterEach(() => {
  expect(canary.opened()).toBe(0);
});
afterAll(() => canary[Symbol.asyncDispose]());

const byUpstream = (url: string) => ({ ...get(url), namedBy: "upstream" as const });
const refused = { code: "upstream_failed", retryable: false };

const answer = (...addresses: readonly string[]): readonly LookupAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

describe("a host that is no public one", () => {
  const { public: _public, name: _name, invalid, ...others } = hosts;
  // A URL has no room for a zone.
  const forms = Object.values(others)
    .flat()
    .filter((host) => !host.includes("%eth0"))
    .map((host) => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host));

  test("there are many forms of it", () => {
    expect(forms.length).toBeGreaterThanOrEqual(80);
  });

  test.each(forms)("%j is refused without asking or connecting", async (host) => {
    const asked: string[] = [];
    await using client = startClient({
      lookup: async (name) => {
        asked.push(name);
        return answer("8.8.8.8");
      },
    });
    for (const scheme of ["http", "https"]) {
      const request = byUpstream(`${scheme}://${host}:${port}/`);
      const expected = { ...refused, message: expect.stringContaining(`:${port}: it was named by`) };
      await expect(client.request(request)).rejects.toMatchObject(expected);
      await expect(client.stream(request)).rejects.toMatchObject(expected);
    }
    expect(asked).toEqual([]);
  });

  test.each(invalid)("%j is refused as no host at all", async (host) => {
    await using client = startClient({ lookup: async () => [] });
    // Some are URLs after all, of a host that is not public.
    await expect(client.request(byUpstream(`http://${host}:${port}/`))).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:bad_request|upstream_failed)$/),
    });
  });

  test("the message names host and port, and the way to allow it", async () => {
    await using client = startClient();
    await expect(client.request(byUpstream("https://[::1]/x"))).rejects.toThrow(
      "Could not connect to [::1]:443: it was named by a fetched document or a redirect, and is no public address. If calls shall go there, name it in the configuration: as `base_url`, or in `egress.allowed_hosts`.",
    );
  });
});

describe("a name", () => {
  test.each([
    ["private", ["10.0.0.1"]],
    ["loopback", ["127.0.0.1"]],
    ["loopback in IPv6", ["::1"]],
    ["the metadata address of clouds", ["169.254.169.254"]],
    ["public and private", ["8.8.8.8", "10.0.0.1"]],
    ["private and public", ["127.0.0.1", "8.8.8.8"]],
    ["public in IPv4, private in IPv6", ["8.8.8.8", "fd00::1"]],
    ["IPv4 inside of IPv6", ["::ffff:127.0.0.1"]],
    ["NAT64", ["64:ff9b::7f00:1"]],
    ["6to4", ["2002:7f00:1::"]],
    ["link-local with a zone", ["fe80::1%eth0"]],
    ["no address but a name", ["localhost.example.com"]],
    ["an empty text", [""]],
  ])("that resolves to an address that is not public (%s) is refused", async (_case, addresses) => {
    await using client = startClient({ lookup: async () => answer(...addresses) });
    await expect(client.request(byUpstream(`http://api.example.com:${port}/`))).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`Could not connect to api.example.com:${port}: it was named by`),
    });
  });

  test("that resolves to nothing does not exist", async () => {
    await using client = startClient({ lookup: async () => [] });
    await expect(client.request(byUpstream("http://api.example.com/"))).rejects.toMatchObject({
      ...refused,
      message: "Could not connect to api.example.com:80: there is no host of this name. Check the URL.",
    });
  });

  test("whose name server is away is worth another try", async () => {
    await using client = startClient({
      lookup: () => Promise.reject(Object.assign(new Error("away"), { code: "EAI_AGAIN" })),
    });
    await expect(client.request(byUpstream("http://api.example.com/"))).rejects.toMatchObject({
      code: "upstream_failed",
      retryable: true,
    });
  });

  test("that the name server never tells ends with the time to connect", async () => {
    await using client = startClient({ lookup: () => new Promise(() => {}), connectTimeout: 50 });
    await expect(client.request(byUpstream("http://api.example.com/"))).rejects.toMatchObject({
      code: "timed_out",
    });
  });
});

describe("a connection to a public address", () => {
  const target = { hostname: "api.example.com", host: "api.example.com", protocol: "http:", port: "80" };

  /** Notes the addresses that a connection may be made to, and in place of going out connects to `host`. */
  function observe(lookup: AddressLookup, host: string, all: boolean) {
    const pinned: unknown[] = [];
    const createConnector: ConnectorFactory = (own) => (options, callback) => {
      own.lookup?.(options.hostname, { all }, (error, addresses) => {
        if (error !== null) {
          callback(error, null);
          return;
        }
        pinned.push(addresses);
        const { port: at, hostname } = new URL(host);
        const socket = connect(Number(at), hostname, () => callback(null, socket));
      });
    };
    const connector = createPublicConnector(createConnector, { allowedHosts: () => [], lookup });
    const failure = () => new Promise((resolve) => connector(target, (...[error]) => resolve(error)));
    return { pinned, failure };
  }

  test("is made to the addresses that were checked; a later answer counts for the next connection", async () => {
    await using reached = await startHttp(() => {});
    const answers = [answer("8.8.8.8", "2606:4700:4700::1111"), answer("127.0.0.1"), answer("8.8.4.4")];
    let asked = 0;
    const { pinned, failure } = observe(async () => answers[asked++] ?? [], reached.url, true);
    await failure();
    expect([asked, pinned]).toEqual([1, [answers[0]]]);
    expect(await failure()).toMatchObject(refused);
    expect([asked, pinned]).toEqual([2, [answers[0]]]);
    await failure();
    expect([asked, pinned]).toEqual([3, [answers[0], answers[2]]]);
  });

  test("takes the first where a socket asks for one", async () => {
    await using reached = await startHttp(() => {});
    const { pinned, failure } = observe(async () => answer("8.8.8.8", "1.1.1.1"), reached.url, false);
    await failure();
    expect(pinned).toEqual(["8.8.8.8"]);
  });

  test("that ended somewhere else is closed before a byte is sent", async () => {
    await using reached = await startHttp(() => {});
    const { failure } = observe(async () => answer("8.8.8.8"), reached.url, true);
    expect(await failure()).toMatchObject(refused);
    await expect.poll(() => [reached.opened(), reached.connections.size]).toEqual([1, 0]);
  });
});

describe("TLS to a public address", () => {
  const pem = (name: string) => readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url), "utf8");

  test.each([
    ["other.example", refused],
    ["another.example", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }],
  ])("asks for the name %s and checks the certificate against it", async (hostname, expected) => {
    const asked: string[] = [];
    const server = createServer({
      key: pem("key"),
      cert: pem("other-host"),
      SNICallback: (name, done) => {
        asked.push(name);
        done(null);
      },
    });
    await using reached = await listen(server, "https");
    // The real connector; only the address is exchanged at the last moment, which the check afterwards then refuses.
    const createConnector: ConnectorFactory = ({ lookup }) =>
      buildConnector({
        allowH2: false,
        ca: pem("other-host"),
        lookup: (name, options, callback) =>
          lookup?.(name, options, (error) => callback(error, [{ address: "127.0.0.1", family: 4 }])),
      });
    const connector = createPublicConnector(createConnector, {
      allowedHosts: () => [],
      lookup: async () => answer("8.8.8.8"),
    });
    const { port: at } = new URL(reached.url);
    const target = { hostname, host: `${hostname}:${at}`, protocol: "https:", port: at };
    const failure = await new Promise((resolve) => connector(target, (...[error]) => resolve(error)));
    expect(failure).toMatchObject(expected);
    expect(asked).toEqual([hostname]);
    await expect.poll(() => reached.connections.size).toBe(0);
  });
});

describe("who named the address", () => {
  test("decides: the operator may name a private one, and an upstream does not get its open connection", async () => {
    await using upstream = await startHttp((_request, response) => response.end("hello"));
    await using client = startClient({ connectionsPerOrigin: 1 });
    const response = await client.request({ ...get(upstream.url), namedBy: "operator" });
    expect(textOf(response.body)).toBe("hello");
    expect(textOf((await client.request(get(upstream.url))).body)).toBe("hello");
    await expect(client.request(byUpstream(upstream.url))).rejects.toMatchObject(refused);
    expect(upstream.opened()).toBe(1);
  });

  test.each(["127.0.0.1", "2130706433", "127.1", "127.0.0.1."])(
    "an upstream may name what the operator allows (%s), over connections of its own",
    async (host) => {
      await using upstream = await startHttp((_request, response) => response.end("hello"));
      await using client = startClient({ allowedHosts: () => [host], connectionsPerOrigin: 1 });
      await client.request(get(upstream.url));
      for (let calls = 0; calls < 2; calls++) {
        expect(textOf((await client.request(byUpstream(upstream.url))).body)).toBe("hello");
      }
      expect(upstream.opened()).toBe(2);
      await expect(client.request(byUpstream(`http://127.0.0.2:${port}/`))).rejects.toMatchObject(refused);
    },
  );

  test.each(["", "example.com", "http://127.0.0.1", "127.0.0.1:80", "*"])(
    "%j allows no other host",
    async (host) => {
      await using client = startClient({ allowedHosts: () => [host] });
      await expect(client.request(byUpstream(canary.url))).rejects.toMatchObject(refused);
    },
  );
});
