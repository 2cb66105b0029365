import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { DocumentLoader } from "../../documents/load-document.ts";
import type { DocumentLocation } from "../../model/config.ts";
import type { DocumentLimits } from "../../model/limits.ts";
import { canonicalHost } from "../../upstream/classify-address.ts";
import { type ReadRelated, refuseBroken, urlOf } from "./related-documents.ts";

/** What decides which other documents one may refer to. */
export interface RelatedPolicy {
  /** Where the configuration names the entry document. */
  readonly location: DocumentLocation;
  readonly documents: DocumentLoader;
  readonly limits: DocumentLimits;
  /** Hosts of `egress.allowed_hosts`. */
  readonly allowedHosts: readonly string[];
  /** Sent with what lies beside a fetched entry document, as with that itself. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Makes what reads the documents that an entry document refers to: files of its folder for a file, addresses below its own for one
 * that was fetched, and addresses on the hosts that the operator allows. All others are refused without a look.
 */
export function createRelatedReader(policy: RelatedPolicy): ReadRelated {
  const { location, documents, headers, signal, limits } = policy;
  const { place } = location;
  const folderUrl = new URL(".", urlOf(location)).href;
  const allowedHosts = new Set(policy.allowedHosts.map(canonicalHost));

  return async (url) => {
    const { protocol, hostname } = new URL(url);
    if (protocol === "file:") {
      if (location.kind === "url") throw new Error("What was fetched leads to no files.");
      const file = { kind: "file", path: fileURLToPath(url), place } as const;
      return read(file, { signal, limits, within: dirname(location.path) });
    }
    const target = { kind: "url", url, place } as const;
    if (location.kind === "url" && url.startsWith(folderUrl))
      return read(target, { signal, limits, headers });
    if (allowedHosts.has(canonicalHost(hostname)))
      return read(target, { signal, limits, namedBy: "document" });
    return {
      ok: false,
      reason: `it leads to another server, and documents there are fetched only from hosts that the configuration allows. Add \`${hostname}\` to \`egress.allowed_hosts\`, or bundle the document into one file.`,
    };
  };

  async function read(...named: Parameters<DocumentLoader["source"]>): ReturnType<ReadRelated> {
    const loaded = await documents.source(...named);
    return loaded.ok ? { ok: true, source: loaded.document } : refuseBroken(loaded.diagnostics, location);
  }
}
