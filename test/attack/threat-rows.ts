/** A row of the threat table: what happens to gateways. */
export interface ThreatRow {
  readonly row: number;
  readonly name: string;
  /** The feature without which there is nothing to attack; `undefined`: it exists, and so must the row's tests. */
  readonly notBuilt?: string;
  /** What of the row waits for a feature; the rest has its tests. */
  readonly notYet?: string;
}

/** The tests of a row are in the files `row-NN-*.test.ts` of this folder. */
export const threatRows: readonly ThreatRow[] = [
  { row: 1, name: "authentication that fails open" },
  { row: 2, name: "old versions that skip checks" },
  { row: 3, name: "hidden tools that can be called" },
  { row: 4, name: "filters evaded by framing" },
  { row: 5, name: "parsers that disagree" },
  { row: 6, name: "crosstalk between clients" },
  { row: 7, name: "ids of other tenants" },
  { row: 8, name: "confused deputy, consent" },
  { row: 9, name: "registration of clients" },
  { row: 10, name: "mix-up, downgrade, audience, tokens passed on" },
  { row: 11, name: "races of refreshes" },
  { row: 12, name: "secrets in URLs and logs" },
  { row: 13, name: "weak and default keys" },
  { row: 14, name: "timing oracles" },
  { row: 15, name: "requests that lead inside (SSRF)" },
  { row: 16, name: "injection into requests of upstreams" },
  { row: 17, name: "documents as code" },
  { row: 18, name: "hostile schemas and patterns" },
  { row: 19, name: "answers of hostile upstreams" },
  { row: 20, name: "poisoned tools", notYet: "the lock" },
  { row: 21, name: "injection by results", notBuilt: "flow labels" },
  { row: 22, name: "processes by configuration" },
  { row: 23, name: "credentials of other providers" },
  { row: 24, name: "DNS rebinding, requests of pages" },
  { row: 25, name: "HTTP smuggling and oddities" },
  { row: 26, name: "slow clients" },
  { row: 27, name: "overload" },
  { row: 28, name: "leaks of sessions and streams" },
  { row: 29, name: "reload and drain" },
  { row: 30, name: "crashes" },
  { row: 31, name: "encryption at rest" },
  { row: 32, name: "audit tampering", notBuilt: "the audit log" },
  { row: 33, name: "forged handles and states" },
  { row: 34, name: "scripts in the console", notBuilt: "the console" },
  { row: 35, name: "runaway executions", notBuilt: "auto-execution" },
  { row: 36, name: "supply chain" },
  { row: 37, name: "clocks" },
];
