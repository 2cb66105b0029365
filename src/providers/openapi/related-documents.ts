import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { DocumentLoader, LoadedDocument } from "../../documents/load-document.ts";
import type { DocumentLocation } from "../../model/config.ts";
import type { JsonValue } from "../../model/json.ts";
import { shareThread } from "../share-thread.ts";
import { collectReferences } from "./collect-references.ts";
import type { RelatedFile } from "./model.ts";

/** Most files beside the one that the configuration names. */
const mostFiles = 200;
/** Most characters of all of them. */
const mostText = 64 * 1000 * 1000;
/** Most values in all documents together. */
const mostNodes = 4_000_000;

/** The documents that another one refers to, all of them read beforehand. */
export interface RelatedDocuments {
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

const advice = "Bundle the document into one file.";

const tooMuchText = refuse("the files of the document have more than 64 MB together.");

/** For a document that was fetched, or that stands alone: there are no others. */
export const noRelatedDocuments: RelatedDocuments = {
  find: () => refuse(`it leads to another document, and for a fetched one no others are fetched. ${advice}`),
};

/**
 * Reads the files that a document in a file refers to, directly or through others, as long as they lie in its folder;
 * the network is never asked. What can't be read is no mistake before a reference to it is used.
 */
export async function loadRelatedDocuments(
  entry: LoadedDocument,
  location: DocumentLocation,
  documents: DocumentLoader,
  signal: AbortSignal,
): Promise<RelatedDocuments> {
  if (location.kind === "url") return noRelatedDocuments;
  const folder = dirname(entry.location);
  const folderUrl = pathToFileURL(`${folder}/`).href;
  const entryUrl = pathToFileURL(entry.location).href;
  const known = new Map<string, FoundDocument>([[entryUrl, { ok: true, file: undefined }]]);
  const pending: { readonly url: string; readonly value: JsonValue }[] = [
    { url: entryUrl, value: entry.value },
  ];
  const giveWay = shareThread();
  let nodesLeft = mostNodes;
  let textLeft = mostText;

  async function load(url: string, path: string): Promise<FoundDocument> {
    if (known.size > mostFiles)
      return refuse(`the document consists of more than ${mostFiles} files. ${advice}`);
    // What is too much already needs not be read to know it.
    if (textLeft < 0) return tooMuchText;
    const place = location.place;
    const loaded = await documents.document({ kind: "file", path, place }, { signal, within: folder });
    if (!loaded.ok) return refuseBroken(loaded.diagnostics, location);
    const { document } = loaded;
    textLeft -= document.text.length;
    if (textLeft < 0) return tooMuchText;
    pending.push({ url, value: document.value });
    return { ok: true, file: { name: `./${url.slice(folderUrl.length)}`, url, document } };
  }

  for (const { url, value } of pending) {
    const { targets, nodes } = await collectReferences(value, nodesLeft, giveWay);
    nodesLeft -= nodes;
    if (nodesLeft < 0) {
      const count = mostNodes.toLocaleString("en");
      known.set(url, refuse(`the files of the document have more than ${count} values together.`));
      continue;
    }
    for (const target of targets) {
      const file = locateFile(target, url);
      if (file.ok && !known.has(file.url)) known.set(file.url, await load(file.url, file.path));
    }
  }
  return {
    find(target, from) {
      const file = locateFile(target, from?.url ?? entryUrl);
      if (!file.ok) return file;
      return known.get(file.url) ?? refuse(`it leads to a file that was not looked for. ${advice}`);
    },
  };
}

/** The file that a reference means, by its URL in one spelling. */
function locateFile(
  target: string,
  base: string,
): { readonly ok: true; readonly url: string; readonly path: string } | Refusal {
  const url = URL.parse(target, base);
  if (url?.protocol === "http:" || url?.protocol === "https:") {
    return refuse(
      `it leads to another server, and references to documents elsewhere are not fetched. ${advice}`,
    );
  }
  // Some systems would take a host for a server that shares its files.
  if (url?.protocol !== "file:" || url.hostname !== "") return refuse(`it names no file. ${advice}`);
  try {
    const path = fileURLToPath(url);
    // One file has many URLs: percent-encoding is a matter of taste. This one is its identity.
    return { ok: true, url: pathToFileURL(path).href, path };
  } catch {
    return refuse(`it names no file: its percent-encoding is broken, or hides a slash.`);
  }
}

function refuseBroken([diagnostic]: readonly Diagnostic[], { place: asked }: DocumentLocation): Refusal {
  if (diagnostic === undefined) return refuse("the document can't be read.");
  const { message, place } = diagnostic;
  if (place === undefined || place === asked) return refuse(message);
  return { ...refuse(message), related: [{ message: "The file is broken here.", place }] };
}

function refuse(reason: string): Refusal {
  return { ok: false, reason };
}
