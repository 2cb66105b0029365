import { isLoopback } from "../../loopback.ts";

/** Where an MCP client gets what a person allows it, in what people can judge. */
export interface RedirectTarget {
  /** `computer`: a program that listens on the person's own computer. `site`: a web site. `program`: whatever has registered a scheme. */
  readonly kind: "computer" | "site" | "program";
  /** The host, with its port; of a program the scheme, with its colon. */
  readonly name: string;
}

/** @param uri one of the client's redirect URIs, as it was registered. */
export function describeTarget(uri: string): RedirectTarget {
  const url = URL.parse(uri);
  if (url === null) return { kind: "program", name: "" };
  const { protocol, host, hostname } = url;
  if (protocol !== "https:" && protocol !== "http:") return { kind: "program", name: protocol };
  return { kind: isLoopback(hostname) ? "computer" : "site", name: host };
}
