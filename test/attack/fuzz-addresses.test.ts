import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { allowsRedirect } from "../../src/authorization-server/redirect-uri.ts";
import { providerOfUri, toClientUri, toUpstreamUri } from "../../src/catalog/resource-uri.ts";
import { parseToken } from "../../src/federation/parse-token.ts";
import { createAttemptLimiter } from "../../src/limits/attempt-limiter.ts";
import { problemOfRedirectUri } from "../../src/redirect-uri-form.ts";
import { classifyAddress, mayBePublic } from "../../src/upstream/classify-address.ts";
import { fuzz, soup } from "./fuzz.ts";

/** What must never count as public, by Node's own means. */
const inside = new BlockList();
for (const [address, length] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["224.0.0.0", 3],
] as const)
  inside.addSubnet(address, length, "ipv4");
for (const [address, length] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
  ["2001::", 32],
] as const)
  inside.addSubnet(address, length, "ipv6");

const octet = fc.oneof(fc.constantFrom(0, 10, 127, 169, 172, 192, 168, 254, 100, 255), fc.nat({ max: 255 }));
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
const number = (text: string): number => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const hex = (text: string): string => {
  const digits = number(text).toString(16).padStart(8, "0");
  return `${digits.slice(0, 4)}:${digits.slice(4)}`;
};
/** The same address, in one of the spellings that URL parsers and resolvers take. */
const spelled = fc.tuple(ipv4, fc.nat({ max: 13 })).map(([address, way]): [string, string] => {
  const [first = "0", second = "0", third = "0", fourth = "0"] = address.split(".");
  const written = [
    address,
    `${address}.`,
    String(number(address)),
    `0x${number(address).toString(16)}`,
    `0${number(address).toString(8)}`,
    `${first}.${Number(second) * 65_536 + Number(third) * 256 + Number(fourth)}`,
    `0x${Number(first).toString(16)}.${second}.0${Number(third).toString(8)}.${fourth}`,
    `::ffff:${address}`,
    `[::ffff:${hex(address)}]`,
    `::${hex(address)}`,
    `64:ff9b::${hex(address)}`,
    `2002:${hex(address)}::`,
    address.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    address.replaceAll(".", "\u3002"),
  ][way];
  return [address, written ?? address];
});

describe("hosts", () => {
  fuzz("addresses inside, in any spelling: never public", () =>
    fc.property(spelled, ([address, written]) => {
      if (inside.check(address, "ipv4")) {
        expect(classifyAddress(written)).not.toBe("public");
        expect(mayBePublic(written)).toBe(false);
      }
    }),
  );

  fuzz(
    "any text as a host: one of the known classes, and public only what Node does not know as inside",
    () =>
      fc.property(
        fc.oneof(
          soup(
            "127.0.0.1",
            "::1",
            "[",
            "]",
            "%",
            ".",
            "0x7f",
            "localhost",
            "@",
            "a.example",
            ":80",
            "/",
            "1",
            "fe80",
            "::",
            "é",
            "internal",
          ),
          fc.ipV6(),
          fc.ipV4(),
        ),
        (host) => {
          const is = classifyAddress(host);
          const family = isIP(host);
          if (is === "public" && family !== 0)
            expect(inside.check(host, family === 6 ? "ipv6" : "ipv4")).toBe(false);
          const name = URL.parse(`http://${host}/`)?.hostname.replace(/\.$/, "") ?? "";
          if (is === "public" && isIP(name) === 4) expect(inside.check(name, "ipv4")).toBe(false);
          expect(is).toMatch(/^[a-z-]+$/);
        },
      ),
  );
});

describe("URIs", () => {
  const uri = soup(
    "http://",
    "https://",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "app.example",
    ":",
    "80",
    "99999",
    "/cb",
    "?x",
    "#y",
    "@",
    "\\",
    "%2f",
    "cursor://",
    "..",
  );

  fuzz("where codes go: what was registered, or the same loopback address with another port", () =>
    fc.property(fc.array(uri, { minLength: 1, maxLength: 3 }), uri, (all, asked) => {
      const registered = all.filter((one) => problemOfRedirectUri(one, ["cursor"]) === undefined);
      if (!allowsRedirect(registered, asked) || registered.includes(asked)) return;
      const { protocol, hostname, username, pathname, search } = new URL(asked);
      expect(protocol).toBe("http:");
      expect(["127.0.0.1", "[::1]", "localhost"]).toContain(hostname);
      expect(username).toBe("");
      expect(
        registered.some((one) => {
          const known = new URL(one);
          return known.hostname === hostname && known.pathname === pathname && known.search === search;
        }),
      ).toBe(true);
    }),
  );

  fuzz("URIs of resources: what clients know leads back to the provider that it is of", () =>
    fc.property(
      fc.constantFrom("a", "a-b", "a_b", "my_files"),
      fc.oneof(
        soup("file:///", "gw-a+", "gw-a-b+", "gw-", "+", "{", "}", "{+x}", "{?x*}", "https://", "a:"),
        fc.string(),
      ),
      (name, own) => {
        const provider = { name, toolPrefix: `${name}_` };
        const client = toClientUri(provider, own);
        expect(toUpstreamUri(provider, client)).toBe(own);
        if (client !== own) expect(providerOfUri(client)).toBe(name);
      },
    ),
  );
});

fuzz("tokens: read as they are written, or not at all", () =>
  fc.property(
    soup(
      ".",
      "e30",
      "eyJhbGciOiJub25lIn0",
      "eyJzdWIiOiJhIiwic3ViIjoiYiJ9",
      "=",
      "-",
      "_",
      "A",
      " ",
      "e30.e30.",
    ),
    (token) => {
      const parsed = parseToken(token);
      if (parsed === undefined) return;
      const [header = "", claims = ""] = token.split(".");
      expect(JSON.parse(Buffer.from(header, "base64url").toString("utf8"))).toEqual(parsed.header);
      expect(JSON.parse(Buffer.from(claims, "base64url").toString("utf8"))).toEqual(parsed.claims);
    },
  ),
);

fuzz("counts of attempts: never more than the burst and what time has brought", () =>
  fc.property(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 5_000 }),
    fc.array(fc.record({ later: fc.nat({ max: 10_000 }), key: fc.constantFrom("a", "b") }), {
      maxLength: 60,
    }),
    (attempts, refill, steps) => {
      let now = 0;
      const limiter = createAttemptLimiter({ attempts, refill }, () => now);
      const taken = new Map<string, number>();
      for (const { later, key } of steps) {
        now += later;
        const wait = limiter.take(key);
        if (wait === undefined) taken.set(key, (taken.get(key) ?? 0) + 1);
        else expect(wait).toBeGreaterThan(0);
        expect(taken.get(key) ?? 0).toBeLessThanOrEqual(attempts + Math.floor(now / refill));
      }
    },
  ),
);
