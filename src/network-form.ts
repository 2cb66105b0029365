import { BlockList, isIP } from "node:net";

/** An address, or all addresses that begin with the same bits. */
export interface Network {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** How many bits count; all of them for a single address. */
  readonly bits: number;
}

/** Reads `10.0.0.1`, `10.0.0.0/8`, `fd00::1` or `fd00::/8`; `undefined` for everything else, such as a name. */
export function readNetwork(text: string): Network | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  // A zone is a matter of one machine's interfaces.
  if (version === 0 || address.includes("%") || rest.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  if (bits !== undefined && !(/^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= most)) return undefined;
  return {
    address,
    family: version === 4 ? "ipv4" : "ipv6",
    bits: bits === undefined ? most : Number(bits),
  };
}

/** Tells whether an address lies in one of the networks; what is no address lies in none. IPv4 may be written as IPv6 (`::ffff:10.0.0.1`). */
export function createNetworkCheck(networks: readonly Network[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const { address, family, bits } of networks) list.addSubnet(address, bits, family);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
  };
}
