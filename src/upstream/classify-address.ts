/**
 * What a host is to a gateway that must not be led into its operator's network. `public`: an address of the internet.
 * `name`: a DNS name of which only the resolved addresses tell more. All others are no public targets: `reserved` covers
 * multicast, documentation and everything unassigned; `invalid` is what no URL may have as its host.
 */
export type AddressClass =
  | "public"
  | "name"
  | "loopback"
  | "private"
  | "link-local"
  | "unspecified"
  | "reserved"
  | "invalid";

/** What an address that nobody vouches for may be: everything else is refused without asking DNS. */
export function mayBePublic(host: string): boolean {
  const found = classifyAddress(host);
  return found === "public" || found === "name";
}

/**
 * Classifies the host of a URL, or an address as DNS gives it, without asking anybody. IPv6 with or without brackets, and
 * every spelling that a URL parser takes for an address: short, octal, hexadecimal and full-width numbers, trailing dots,
 * IPv4 inside of IPv6. Ranges by the IANA special-purpose registries.
 */
export function classifyAddress(host: string): AddressClass {
  const parsed = canonicalHost(host);
  if (parsed === undefined) return "invalid";
  if (parsed.startsWith("[")) return classifyIpv6(readIpv6(parsed.slice(1, -1)));
  if (/^\d+\.\d+\.\d+\.\d+$/.test(parsed)) return classifyIpv4(readIpv4(parsed));
  return classifyName(parsed);
}

/**
 * The one spelling of a host: as a URL's `hostname`, without a trailing dot; IPv6 in brackets and without its zone.
 * `undefined` for what no URL may have as its host.
 */
export function canonicalHost(host: string): string | undefined {
  const isBareIpv6 = host.includes(":") && !host.startsWith("[");
  // A zone says through which interface; a URL has no room for it.
  const written = isBareIpv6 ? `[${host.replace(/%.*$/s, "")}]` : host;
  if (/[/\\?#@]|:\d*$/.test(written.replace(/^\[[^\]]*\]$/, ""))) return undefined;
  const parsed = URL.parse(`http://${written}/`)?.hostname.replace(/\.$/, "");
  return parsed === "" ? undefined : parsed;
}

/** Top-level names that resolve inside of a machine or a network: RFC 6761, RFC 6762 with appendix G, RFC 8375, ICANN's `internal`. */
const privateSuffix = /\.(?:local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa|test)$/;

function classifyName(name: string): AddressClass {
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback";
  // A name without a dot is completed from the machine's own search list.
  return !name.includes(".") || privateSuffix.test(name) ? "private" : "name";
}

/** First address and length of a range, and what its addresses are. Of several that match, the first counts. */
type Ranges = readonly (readonly [first: string, length: number, is: AddressClass])[];

const ipv4Ranges: Ranges = [
  ["0.0.0.0", 8, "unspecified"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "private"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "reserved"],
  ["192.88.99.0", 24, "reserved"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "private"],
  ["198.51.100.0", 24, "reserved"],
  ["203.0.113.0", 24, "reserved"],
  ["224.0.0.0", 3, "reserved"],
  ["0.0.0.0", 0, "public"],
];

const ipv6Ranges: Ranges = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["64:ff9b:1::", 48, "private"],
  // Teredo (RFC 4380) and other protocols' addresses, none of which is a server's.
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "reserved"],
  ["3fff::", 20, "reserved"],
  ["2000::", 3, "public"],
  ["fc00::", 7, "private"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "private"],
  ["::", 0, "reserved"],
];

/** Ranges of IPv6 whose addresses lead to the IPv4 address that they hold, and the group at which that begins. */
const embeddings: readonly (readonly [first: string, length: number, group: number])[] = [
  // Mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056).
  ["::ffff:0:0", 96, 6],
  ["::", 96, 6],
  ["::ffff:0:0:0", 96, 6],
  ["64:ff9b::", 96, 6],
  ["2002::", 16, 1],
];

function classifyIpv4(address: bigint): AddressClass {
  return findRange(ipv4Ranges, (first, length) => isWithin(address, readIpv4(first), length, 32));
}

function classifyIpv6(address: bigint): AddressClass {
  const embedding = embeddings.find(([first, length]) => isWithin(address, readIpv6(first), length, 128));
  // `::` and `::1` look like the compatible 0.0.0.0 and 0.0.0.1.
  if (embedding === undefined || address <= 1n) {
    return findRange(ipv6Ranges, (first, length) => isWithin(address, readIpv6(first), length, 128));
  }
  return classifyIpv4((address >> BigInt(16 * (6 - embedding[2]))) & 0xffff_ffffn);
}

function findRange(ranges: Ranges, matches: (first: string, length: number) => boolean): AddressClass {
  return ranges.find(([first, length]) => matches(first, length))?.[2] ?? "reserved";
}

function isWithin(address: bigint, first: bigint, length: number, width: 32 | 128): boolean {
  const rest = BigInt(width - length);
  return address >> rest === first >> rest;
}

/** Four decimal numbers, as URL parsers write IPv4. */
function readIpv4(text: string): bigint {
  return text.split(".").reduce((address, octet) => address * 256n + BigInt(octet), 0n);
}

/** Hexadecimal groups with at most one `::`, as URL parsers write IPv6. */
function readIpv6(text: string): bigint {
  const [start = [], end = []] = text.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = Array.from({ length: 8 - start.length - end.length }, () => "0");
  return [...start, ...zeros, ...end].reduce(
    (address, group) => address * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}
