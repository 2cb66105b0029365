import { createHash } from "node:crypto";
import type { DiagnosticCode } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { DocumentLocation } from "../model/config.ts";
import type { JsonValue } from "../model/json.ts";
import type { DocumentLimits } from "../model/limits.ts";
import type { Place } from "../model/place.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { nameOfUrl } from "../upstream/name-of-url.ts";
import { confinePath } from "./confine-path.ts";
import type { DocumentBytes } from "./document-bytes.ts";
import { limitsForForeign, usualDocumentLimits } from "./document-limits.ts";
import { fetchDocument } from "./fetch-document.ts";
import { createLocator } from "./locate-in-document.ts";
import { isHtml, parseDocument } from "./parse-document.ts";
import type { ParseProblem } from "./parse-problem.ts";
import { nameOfFile, readDocumentFile } from "./read-document-file.ts";

/** Where a document came from. */
interface DocumentOrigin {
  /** How to print where it came from: a path relative to the working directory, or the URL. */
  readonly name: string;
  /** Absolute path or URL. */
  readonly location: string;
}

/** A document as it was read, before anybody looked at it. */
export interface DocumentSource extends DocumentOrigin {
  readonly bytes: Uint8Array;
}

/** A text that was read from a file or a URL. */
export interface LoadedText extends DocumentOrigin {
  readonly text: string;
  /** `sha256:` and 64 hexadecimal digits, over the bytes as read. */
  readonly digest: string;
}

/** A JSON or YAML document. Its text is not kept: it may be large. */
export interface LoadedDocument extends Omit<LoadedText, "text"> {
  readonly value: JsonValue;
  /** Characters of its text. */
  readonly length: number;
  /**
   * Where the key or the value at `path` stands; the nearest ancestor that exists when there is none.
   * Found when asked for: positions cost a second parse. `undefined` for documents too large for that.
   */
  locate(path: readonly (string | number)[], target: "key" | "value"): Place | undefined;
}

/** What loading came to. */
export type Loaded<T> =
  | { readonly ok: true; readonly document: T }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads documents that the configuration names: API descriptions and schemas. */
export interface DocumentLoader {
  /** The bytes as they are, for who reads them elsewhere. */
  source(location: DocumentLocation, options: LoadOptions): Promise<Loaded<DocumentSource>>;
  /** A text as it is, such as GraphQL SDL. */
  text(location: DocumentLocation, options: LoadOptions): Promise<Loaded<LoadedText>>;
  /** JSON, or YAML 1.2 (core schema), told apart by content and never by media type. */
  document(location: DocumentLocation, options: LoadOptions): Promise<Loaded<LoadedDocument>>;
}

/** How to read one document. */
export interface LoadOptions {
  readonly signal: AbortSignal;
  /** Sent to URLs, for documents behind a login. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Absolute path of the folder in which a file has to lie, symbolic links followed. Default: it may lie anywhere. */
  readonly within?: string;
  /**
   * Who named the URL. What a document named leads to public addresses and allowed hosts only, and redirects are followed
   * on its own origin. Default `operator`.
   */
  readonly namedBy?: "operator" | "document";
  /** What a document may be that the file names. Default {@link usualDocumentLimits}. */
  readonly limits?: DocumentLimits;
}

/** What a loader works with. */
export interface DocumentLoaderOptions {
  readonly http: HttpClient;
  /** `skip`: URLs are not fetched but reported as `skipped-offline`. */
  readonly remote: "fetch" | "skip";
  /** Absolute; names of files are printed relative to it. */
  readonly workingDirectory: string;
  /** Reads a file given its absolute path. Default: the file system. */
  readonly readFile?: (path: string, signal: AbortSignal, mostBytes: number) => Promise<DocumentBytes>;
}

/**
 * Makes the loader of documents. Those beyond their limits are refused, at a tenth of them where a document names another. Mistakes
 * are diagnostics at the place that names the document, or inside the document; only a cancelled load and a server that is away for the
 * moment (`provider_unavailable`) throw.
 */
export function createDocumentLoader(options: DocumentLoaderOptions): DocumentLoader {
  const readFile = options.readFile ?? readDocumentFile;

  async function readSource(location: DocumentLocation, load: LoadOptions): Promise<Loaded<DocumentSource>> {
    const origin = locate(location);
    if (location.kind === "url" && options.remote === "skip") {
      return failed({
        severity: "information",
        code: "skipped-offline",
        message: `\`${origin.name}\` was not fetched, so what depends on it was not checked. Use \`--online\` to check it.`,
        place: location.place,
      });
    }
    const read = await (location.kind === "file"
      ? readInside(location.path, load)
      : fetchDocument(options.http, location.url, { ...load, mostBytes: limitsOf(load).bytes }));
    if (read.ok) return { ok: true, document: { ...origin, bytes: read.bytes } };
    // A document that was named on its own, such as on a command line, is named by no file.
    const isRelative = location.kind === "file" && location.place.file !== location.path;
    const hint =
      isRelative && read.code === "document-not-found"
        ? " Paths are relative to the file that names them."
        : "";
    return atReference(location, read.code, `\`${origin.name}\` ${read.message}${hint}`);
  }

  async function readInside(path: string, load: LoadOptions): Promise<DocumentBytes> {
    const { within, signal } = load;
    const confined = within === undefined ? ({ ok: true, path } as const) : await confinePath(path, within);
    return confined.ok ? readFile(confined.path, signal, limitsOf(load).bytes) : confined;
  }

  function locate(location: DocumentLocation): DocumentOrigin {
    return location.kind === "file"
      ? { name: nameOfFile(location.path, options.workingDirectory), location: location.path }
      : { name: nameOfUrl(location.url), location: location.url };
  }

  return {
    source: readSource,
    async text(location, load) {
      const source = await readSource(location, load);
      return source.ok ? readText(source.document, location) : source;
    },
    async document(location, load) {
      const source = await readSource(location, load);
      return source.ok ? readDocument(source.document, location, limitsOf(load)) : source;
    },
  };
}

/** What this load lets through: the file's own documents all, others a tenth. */
function limitsOf({ limits = usualDocumentLimits, namedBy }: LoadOptions): DocumentLimits {
  return namedBy === "document" ? limitsForForeign(limits) : limits;
}

/** Reads a document's bytes as text. `location` is where it was named. */
function readText(source: DocumentSource, location: DocumentLocation): Loaded<LoadedText> {
  const text = decode(source.bytes);
  if (text === undefined) {
    return atReference(
      location,
      "document-syntax",
      `\`${source.name}\` is compressed or binary, not text. Unpack it, and name the unpacked document.`,
    );
  }
  if (isHtml(text)) {
    return atReference(
      location,
      "document-syntax",
      `\`${source.name}\` is a web page (HTML), not a document. Look for the address of the raw document; a page in its place often means a login.`,
    );
  }
  const digest = `sha256:${createHash("sha256").update(source.bytes).digest("hex")}`;
  return { ok: true, document: { name: source.name, location: source.location, text, digest } };
}

/**
 * Reads a document's bytes as JSON or YAML 1.2 (core schema), told apart by content. Takes as long as the document is large,
 * without a pause.
 *
 * @param location where it was named.
 */
export function readDocument(
  source: DocumentSource,
  location: DocumentLocation,
  limits: DocumentLimits,
): Loaded<LoadedDocument> {
  const loaded = readText(source, location);
  if (!loaded.ok) return loaded;
  const { text, ...document } = loaded.document;
  const locator = createLocator(document.name, document.location, text);
  const parsed = parseDocument(text, limits);
  if (parsed.ok) {
    return {
      ok: true,
      document: { ...document, length: text.length, value: parsed.value, locate: locator },
    };
  }
  const { code, message, position, path } = parsed.problem;
  const place = position === undefined ? path && locator(path, "value") : pointAt(document.name, position);
  const explanation = `\`${document.name}\` ${message}`;
  if (place === undefined) return atReference(location, code, explanation);
  return failed({
    severity: "error",
    code,
    message: explanation,
    place,
    related: [{ message: "The document is named here.", place: location.place }],
  });
}

function failed<T>(diagnostic: Diagnostic): Loaded<T> {
  return { ok: false, diagnostics: [diagnostic] };
}

function atReference<T>(location: DocumentLocation, code: DiagnosticCode, message: string): Loaded<T> {
  return failed({ severity: "error", code, message, place: location.place });
}

function pointAt(file: string, { line, column }: NonNullable<ParseProblem["position"]>): Place {
  return { file, line, column, endLine: line, endColumn: column + 1 };
}

/** UTF-8, or UTF-16 when a byte order mark says so; the mark is dropped. `undefined`: this is no text. */
function decode(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  if (first === 0x1f && second === 0x8b) return undefined;
  // A stray byte in some description is no reason to refuse the whole document, so it becomes U+FFFD. Zero bytes are.
  return bytes.includes(0) ? undefined : new TextDecoder("utf-8").decode(bytes);
}
