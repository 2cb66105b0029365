import type { LookupAddress } from "node:dns";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import type { buildConnector } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createConnector, RefusedAddressError } from "../../src/upstream/create-connector.ts";
import {
  createOperatorConnector,
  createPublicConnector,
  isPublic,
  isUsual,
} from "../../src/upstream/egress-policy.ts";
import type { AddressLookup } from "../../src/upstream/share-lookups.ts";
import { hosts } from "./hosts.ts";
import { get, type Loopback, listen, startClient, startHttp, startTcp, textOf } from "./loopback.ts";

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

const pem = (name: string): string =>
  readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url), "utf8");

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
    await using client = startClient({
      lookup: () => new Promise(() => {}),
      limits: { connectMilliseconds: 50 },
    });
    await expect(client.request(byUpstream("http://api.example.com/"))).rejects.toMatchObject({
      code: "timed_out",
    });
  });
});

describe("a name of the internet that the operator wrote", () => {
  const byOperator = (host: string) => ({ ...get(`http://${host}:${port}/`), namedBy: "operator" as const });

  test.each([
    ["the metadata address of clouds", ["169.254.169.254"]],
    ["that address in IPv6", ["::ffff:169.254.169.254"]],
    ["a link-local address", ["fe80::1"]],
    ["another address as well", ["127.0.0.1", "169.254.169.254"]],
  ])("never leads to a link-local address (%s)", async (_case, addresses) => {
    for (const isLasting of [false, true]) {
      await using client = startClient({ lookup: async () => answer(...addresses) });
      const request = { ...byOperator("api.example.com"), isLasting };
      await expect(client.request(request)).rejects.toMatchObject({
        ...refused,
        message: `Could not connect to api.example.com:${port}: this name leads to a link-local address, where clouds tell their machines' secrets, and so nothing was sent. If that is meant, write the address itself in the configuration.`,
      });
    }
  });

  test.each([
    ["a private address", "api.example.com", "127.0.0.1"],
    ["a link-local address, from a name for inside", "metadata.internal", "169.254.169.254"],
  ])("leads to %s", async (_case, host, address) => {
    const reached: string[] = [];
    const door =
      (name: string): buildConnector.connector =>
      (target, callback) => {
        reached.push(`${name} ${target.hostname}`);
        callback(new RefusedAddressError(), null);
      };
    const open = createOperatorConnector({ toAny: door("any"), toUsual: door("usual") });
    open({ hostname: host, protocol: "http:", port: "80" }, () => {});
    expect(reached).toEqual([`${isUsual(address) ? "usual" : "any"} ${host}`]);
  });

  test("an address is what the operator meant, whichever", () => {
    for (const hostname of ["169.254.169.254", "fe80::1", "localhost", "metadata.google.internal"]) {
      let reached = 0;
      const open = createOperatorConnector({
        toAny: () => {
          reached += 1;
        },
        toUsual: () => {
          throw new Error("It was judged.");
        },
      });
      open({ hostname, protocol: "http:", port: "80" }, () => {});
      expect(reached).toBe(1);
    }
  });
});

describe("a connection to a public address", () => {
  /** A connector that takes the addresses of `stands` for public ones, as if they were somewhere else. */
  function connector(lookup: AddressLookup, stands: readonly string[], options: object = {}) {
    const connect = createConnector({
      ...{ connectMilliseconds: 5_000, tlsMilliseconds: 5_000, certificateAuthorities: undefined, lookup },
      accepts: (address) => isPublic(address) || stands.includes(address),
      ...options,
    });
    const outcomeOf = createPublicConnector(connect);
    return (url: string): Promise<Error | Socket> => {
      const { hostname, host, protocol, port: at } = new URL(url);
      const name = hostname.replace(/^\[|\]$/g, "");
      return new Promise((resolve) =>
        outcomeOf({ hostname: name, host, protocol, port: at }, (error, socket) => resolve(error ?? socket)),
      );
    };
  }

  const failure = (outcome: Error | Socket): unknown => {
    if (outcome instanceof Error) return outcome;
    outcome.destroy();
    return "connected";
  };

  test("is made to the addresses that were checked; a later answer counts for the next connection", async () => {
    await using reached = await startHttp(() => {});
    const at = `http://api.example.com:${new URL(reached.url).port}/`;
    const answers = [answer("127.0.0.1"), answer("127.0.0.2"), answer("127.0.0.1")];
    let asked = 0;
    const open = connector(async () => answers[asked++] ?? [], ["127.0.0.1"]);
    expect(failure(await open(at))).toBe("connected");
    expect([asked, reached.opened()]).toEqual([1, 1]);
    expect(failure(await open(at))).toMatchObject(refused);
    expect([asked, reached.opened()]).toEqual([2, 1]);
    expect(failure(await open(at))).toBe("connected");
    expect([asked, reached.opened()]).toEqual([3, 2]);
  });

  test.each(["http", "https"])(
    "that ended somewhere else is closed before a byte is sent (%s)",
    async (scheme) => {
      const bytes: Buffer[] = [];
      await using reached = await startTcp((socket) => void socket.on("data", (chunk) => bytes.push(chunk)));
      const looks: string[] = [];
      // The address is fine when it is looked up, and another one by the time that the connection stands.
      const open = connector(async () => answer("127.0.0.1"), [], {
        accepts: (address: string) => looks.push(address) === 1,
      });
      const at = `${scheme}://api.example.com:${new URL(reached.url).port}/`;
      expect(failure(await open(at))).toMatchObject(refused);
      expect(looks).toEqual(["127.0.0.1", "127.0.0.1"]);
      await expect.poll(() => [reached.opened(), reached.connections.size]).toEqual([1, 0]);
      expect(Buffer.concat(bytes).byteLength).toBe(0);
    },
  );

  test.each([
    ["other.example", "connected"],
    ["another.example", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }],
  ])("asks by TLS for the name %s and checks the certificate against it", async (hostname, expected) => {
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
    const open = connector(async () => answer("127.0.0.1"), ["127.0.0.1"], {
      certificateAuthorities: [pem("other-host")],
    });
    const outcome = failure(await open(`https://${hostname}:${new URL(reached.url).port}/`));
    if (typeof expected === "string") expect(outcome).toBe(expected);
    else expect(outcome).toMatchObject(expected);
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

  test("a host that is struck off the list gets nothing more, not over a connection that is open either", async () => {
    let allowed: readonly string[] = ["127.0.0.1"];
    await using upstream = await startHttp((_request, response) => response.end("hello"));
    await using client = startClient({ allowedHosts: () => allowed, connectionsPerOrigin: 1 });
    await client.request(byUpstream(upstream.url));
    allowed = [];
    await expect(client.request(byUpstream(upstream.url))).rejects.toMatchObject(refused);
    allowed = ["localhost", "127.1"];
    await client.request(byUpstream(upstream.url));
    expect(upstream.opened()).toBe(1);
  });

  test.each(["", "example.com", "http://127.0.0.1", "127.0.0.1:80", "*"])(
    "%j allows no other host",
    async (host) => {
      await using client = startClient({ allowedHosts: () => [host] });
      await expect(client.request(byUpstream(canary.url))).rejects.toMatchObject(refused);
    },
  );
});
