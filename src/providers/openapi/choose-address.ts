import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { HttpBinding } from "../../model/catalog.ts";
import type { Place } from "../../model/place.ts";
import { canonicalHost, mayBePublic } from "../../upstream/classify-address.ts";
import { resolveBaseUrl } from "./base-url.ts";
import type { ChosenServer } from "./choose-server.ts";
import type { ApiOperation } from "./model.ts";

/** What decides where the operations of a document are sent. */
export interface AddressFacts {
  /** The document as people should read it. */
  readonly documentName: string;
  /** Where the document was fetched from; `undefined` for a file, whose servers count as named by the operator. */
  readonly documentUrl: string | undefined;
  /** The address that the configuration names in place of all servers. */
  readonly baseUrl: string | undefined;
  /** Hosts that a fetched document may lead to although they are not public. */
  readonly allowedHosts: readonly string[];
  /** The document's own server, or the first operation's when it has none: the one that credentials are for. */
  readonly mainServer: ChosenServer | undefined;
  /** Where the surface stands. */
  readonly place: Place;
}

/** Where an operation is sent, and who named that. */
export type ChosenAddress = Pick<HttpBinding, "baseUrl" | "addressFrom">;

/** Chooses the address of each operation, and remembers what it had to refuse. */
export interface AddressChooser {
  /**
   * The address that the operation's path is appended to; `undefined` when there is none that it may be sent to.
   *
   * @param carriesSecret true when the gateway adds something to the operation's requests that only one API may see.
   */
  choose(
    operation: ApiOperation,
    server: ChosenServer | undefined,
    carriesSecret: boolean,
  ): ChosenAddress | undefined;
  /** One diagnostic for each reason and address: warnings as long as other operations are left. */
  diagnostics(): readonly Diagnostic[];
}

interface Refusal {
  readonly kind: "unusable" | "not-public" | "elsewhere";
  /** What is wrong, or the origin in question. */
  readonly subject: string;
}

/**
 * Makes the chooser of a document, by "Where calls may go" of the configuration reference: a document that was fetched may
 * lead to its own origin, to public addresses and to what the operator names, and credentials to one origin only.
 */
export function createAddressChooser(facts: AddressFacts): AddressChooser {
  const { documentUrl, baseUrl, mainServer } = facts;
  let chosen = 0;
  const refused = new Map<string, { readonly refusal: Refusal; readonly operations: ApiOperation[] }>();
  const main = resolveBaseUrl(mainServer?.url, documentUrl);
  const allowedHosts = new Set(facts.allowedHosts.map(canonicalHost));
  const mainOrigin = main.ok ? new URL(main.url).origin : undefined;

  function judge(server: ChosenServer | undefined, carriesSecret: boolean): ChosenAddress | Refusal {
    const base = resolveBaseUrl(server?.url, documentUrl);
    if (!base.ok) return { kind: "unusable", subject: base.problem };
    if (documentUrl === undefined) return { baseUrl: base.url, addressFrom: "operator" };
    const { origin, hostname } = new URL(base.url);
    const isOwn = origin === new URL(documentUrl).origin || server?.isNamed === true;
    const addressFrom = isOwn ? "operator" : "document";
    const isReachable =
      addressFrom === "operator" || mayBePublic(hostname) || allowedHosts.has(canonicalHost(hostname));
    if (!isReachable) return { kind: "not-public", subject: origin };
    if (carriesSecret && origin !== mainOrigin) return { kind: "elsewhere", subject: origin };
    return { baseUrl: base.url, addressFrom };
  }

  return {
    choose(operation, server, carriesSecret) {
      const judged: ChosenAddress | Refusal =
        baseUrl === undefined ? judge(server, carriesSecret) : { baseUrl, addressFrom: "operator" };
      if (!("kind" in judged)) {
        chosen += 1;
        return judged;
      }
      const key = `${judged.kind} ${judged.subject}`;
      const entry = refused.get(key) ?? { refusal: judged, operations: [] };
      entry.operations.push(operation);
      refused.set(key, entry);
      return undefined;
    },
    diagnostics: () =>
      [...refused.values()].map(({ refusal, operations }): Diagnostic => {
        const dropped = { severity: chosen > 0 ? "warning" : "error", code: "operation-dropped" } as const;
        const problem =
          refusal.kind === "unusable" ? ({ severity: "error", code: "missing-key" } as const) : dropped;
        return { ...problem, message: describe(refusal, operations, facts, mainOrigin), place: facts.place };
      }),
  };
}

function describe(
  { kind, subject }: Refusal,
  operations: readonly ApiOperation[],
  { documentName }: AddressFacts,
  mainOrigin: string | undefined,
): string {
  const [first] = operations;
  const example = `\`${first?.method} ${first?.path}\``;
  const which =
    operations.length === 1
      ? `the operation ${example}`
      : `${operations.length} operations (such as ${example})`;
  switch (kind) {
    case "unusable":
      return `There is no address to send calls to: \`${documentName}\` ${subject}. Set \`base_url\` of the surface.`;
    case "not-public":
      return `\`${documentName}\` sends ${which} to \`${subject}\`, which is no public address, so there is no tool for it: a fetched document may not lead into a private network. If calls shall go there, set \`base_url\` of the surface or add the host to \`egress.allowed_hosts\`.`;
    case "elsewhere":
      return `\`${documentName}\` sends ${which} to \`${subject}\`, but what the gateway adds to requests is for \`${mainOrigin ?? "another address"}\`, so there is no tool for it: a fetched document may not pass credentials on. Set \`base_url\` of the surface if all calls shall go to one address, or name a copy of the document in a file, whose servers count as yours.`;
  }
}
