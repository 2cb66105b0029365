import { fileURLToPath, pathToFileURL } from "node:url";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { describeBytes } from "../../documents/document-limits.ts";
import { type DocumentSource, type LoadedDocument, readDocument } from "../../documents/load-document.ts";
import type { DocumentLocation, OpenApiSurface } from "../../model/config.ts";
import type { JsonValue } from "../../model/json.ts";
import { shareThread } from "../share-thread.ts";
import { collectReferences } from "./collect-references.ts";
import type { RelatedFile } from "./model.ts";

/** Most documents beside the one that the configuration names. */
const mostFiles = 200;

/** The documents that another one refers to, all of them read beforehand. */
export interface RelatedDocuments {
  /** What was read, in the order in which it was found. */
  readonly files: readonly RelatedFile[];
  /** True when nothing refers to a path of the entry document, so that one which was read is not needed any more. */
  readonly leavesPathsAlone: boolean;
  /**
   * The document that a reference names.
   *
   * @param target the reference up to its `#`; not empty.
   * @param from the file in which the reference stands; `undefined`: the entry document.
   */
  find(target: string, from: RelatedFile | undefined): FoundDocument;
}

/** A document that is there, or why it is not. */
export type FoundDocument =
  /** `undefined`: the entry document. */
  { readonly ok: true; readonly file: RelatedFile | undefined } | Refusal;

/** Why a document is not there. */
export interface Refusal {
  readonly ok: false;
  /** Ends the sentence "It can't be followed: …". */
  readonly reason: string;
  /** Where the document that can't be read is broken. */
  readonly related?: NonNullable<Diagnostic["related"]>;
}

/**
 * Gets a document that another one names, by its absolute URL (`file:`, `http:` or `https:`), if it may be read at all: the
 * decision is made where files and network are, not where foreign documents are looked into.
 */
export type ReadRelated = (
  url: string,
) => Promise<{ readonly ok: true; readonly source: DocumentSource } | Refusal>;

const bundleAdvice = "Bundle the document into one file.";

/** For a document that stands alone: there are no others. */
export const noRelatedDocuments: RelatedDocuments = {
  files: [],
  leavesPathsAlone: false,
  find: () => refuse(`it leads to another document. ${bundleAdvice}`),
};

/**
 * Reads the documents that another one refers to, directly or through others. What can't be read is no mistake before a
 * reference to it is used.
 *
 * @param surface whose document is the entry document.
 */
export async function loadRelatedDocuments(
  entry: LoadedDocument,
  { document: location, documentLimits: limits }: Pick<OpenApiSurface, "document" | "documentLimits">,
  read: ReadRelated,
): Promise<RelatedDocuments> {
  const tooMuchText = refuse(
    `the files of the document have more than ${describeBytes(limits.bytes)} together (\`limits.documents.size\`).`,
  );
  const entryUrl = urlOf(location);
  const folderUrl = new URL(".", entryUrl).href;
  const known = new Map<string, FoundDocument>([[entryUrl, { ok: true, file: undefined }]]);
  const files: RelatedFile[] = [];
  const pending: { readonly url: string; readonly value: JsonValue }[] = [
    { url: entryUrl, value: entry.value },
  ];
  const giveWay = shareThread();
  let leavesPathsAlone = true;
  let nodesLeft = limits.nodes;
  let textLeft = limits.bytes;

  async function load(url: string): Promise<FoundDocument> {
    if (known.size > mostFiles)
      return refuse(`the document consists of more than ${mostFiles} files. ${bundleAdvice}`);
    // What is too much already needs not be read to know it.
    if (textLeft < 0) return tooMuchText;
    const answer = await read(url);
    if (!answer.ok) return answer;
    await giveWay();
    const loaded = readDocument(answer.source, location, limits);
    if (!loaded.ok) return refuseBroken(loaded.diagnostics, location);
    const { document } = loaded;
    textLeft -= document.length;
    if (textLeft < 0) return tooMuchText;
    pending.push({ url, value: document.value });
    const name = url.startsWith(folderUrl) ? `./${url.slice(folderUrl.length)}` : url;
    const file = { name, url, document };
    files.push(file);
    return { ok: true, file };
  }

  for (const { url, value } of pending) {
    const collected = await collectReferences(value, nodesLeft, giveWay);
    const { targets, nodes } = collected;
    leavesPathsAlone &&= collected.leavesPathsAlone;
    nodesLeft -= nodes;
    if (nodesLeft < 0) {
      const count = limits.nodes.toLocaleString("en");
      const reason = `the files of the document have more than ${count} values together (\`limits.documents.nodes\`).`;
      known.set(url, refuse(reason));
      continue;
    }
    for (const target of targets) {
      const located = locateDocument(target, url);
      if (located.ok && !known.has(located.url)) known.set(located.url, await load(located.url));
    }
  }
  return {
    files,
    leavesPathsAlone,
    find(target, from) {
      const located = locateDocument(target, from?.url ?? entryUrl);
      if (!located.ok) return located;
      return known.get(located.url) ?? refuse(`it leads to a file that was not looked for. ${bundleAdvice}`);
    },
  };
}

/** The URL from which the references of a document that the configuration names count. */
export function urlOf(location: DocumentLocation): string {
  return location.kind === "url" ? new URL(location.url).href : pathToFileURL(location.path).href;
}

/** The document that a reference means, by its URL in one spelling. */
function locateDocument(target: string, base: string): { readonly ok: true; readonly url: string } | Refusal {
  const url = URL.parse(target, base);
  if (url === null) return refuse(`it names no file. ${bundleAdvice}`);
  url.hash = "";
  if (url.protocol === "http:" || url.protocol === "https:") return { ok: true, url: url.href };
  if (!base.startsWith("file:")) {
    return refuse(`a document that was fetched may not lead to files of this machine. ${bundleAdvice}`);
  }
  // Some systems would take a host for a server that shares its files.
  if (url.protocol !== "file:" || url.hostname !== "") return refuse(`it names no file. ${bundleAdvice}`);
  try {
    // One file has many URLs: percent-encoding is a matter of taste. This one is its identity.
    return { ok: true, url: pathToFileURL(fileURLToPath(url)).href };
  } catch {
    return refuse(`it names no file: its percent-encoding is broken, or hides a slash.`);
  }
}

/** What is wrong with a document that was read, as the reason not to follow a reference to it. */
export function refuseBroken(
  [diagnostic]: readonly Diagnostic[],
  { place: asked }: DocumentLocation,
): Refusal {
  if (diagnostic === undefined) return refuse("the document can't be read.");
  const { message, place } = diagnostic;
  if (place === undefined || place === asked) return refuse(message);
  return { ...refuse(message), related: [{ message: "The file is broken here.", place }] };
}

function refuse(reason: string): Refusal {
  return { ok: false, reason };
}
