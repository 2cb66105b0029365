import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DocumentSource } from "../../documents/load-document.ts";
import type { ReadRelated } from "../openapi/related-documents.ts";
import { shareThread } from "../share-thread.ts";
import type { CompileJob, CompileOutcome } from "./compile-job.ts";
import type { PackedOperations } from "./pack-operations.ts";

/** What large documents came to, kept over restarts. */
export interface CompileCache {
  /** Names a job by all that decides what it comes to: the document's bytes, the settings, and the program itself. */
  keyOf(job: CompileJob, entry: DocumentSource): Promise<string>;
  /** What is kept under a key; `undefined` when there is nothing, or a document that it refers to has changed since. */
  read(key: string, read: ReadRelated): Promise<CachedCompilation | undefined>;
  write(key: string, compilation: CachedCompilation): Promise<void>;
}

/** A compilation as it is kept. */
export interface CachedCompilation {
  readonly outcome: CompileOutcome;
  readonly packs: readonly PackedOperations[];
}

/** The first line of a file; the packs follow it. */
interface Header {
  readonly key: string;
  /** Over what follows. */
  readonly digest: string;
  readonly outcome: CompileOutcome;
  /** Bytes of heads and rest of each pack. */
  readonly packs: readonly (readonly [heads: number, rest: number])[];
}

const suffix = ".compiled";
/** Most files that are kept, the last used first. */
const mostFiles = 64;
/** Bytes that are digested at a time: about a millisecond. */
const digestStep = 1024 * 1024;

/**
 * Opens the cache in a folder, which is made when it is needed. What can't be read or written is compiled anew: `log` is told, and
 * nothing else happens.
 */
export function createCompileCache(
  folder: string,
  log: (message: string, cause?: unknown) => void,
): CompileCache {
  let program: Promise<string> | undefined;
  const pathOf = (key: string): string => join(folder, `${key}${suffix}`);

  return {
    async keyOf(job, entry) {
      program ??= digestOfProgram();
      const parts = [await program, await digest(entry.bytes), entry.name, JSON.stringify(job)];
      return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
    },

    async read(key, read) {
      try {
        const kept = await readKept(pathOf(key), key);
        if (kept === undefined || !(await isCurrent(kept.outcome, read))) return undefined;
        const now = new Date();
        await utimes(pathOf(key), now, now);
        return kept;
      } catch (error) {
        if (!hasCode(error, "ENOENT")) log("A cached document can't be read, so it is compiled anew.", error);
        return undefined;
      }
    },

    async write(key, { outcome, packs }) {
      const chunks = packs.flatMap(({ heads, rest }) => [heads, rest]);
      const header: Header = {
        key,
        digest: await digest(Buffer.concat(chunks)),
        outcome,
        packs: packs.map(({ heads, rest }) => [heads.length, rest.length]),
      };
      const draft = join(folder, `${randomUUID()}.draft`);
      try {
        // What documents describe may be meant for few eyes.
        await makeFolder(folder);
        await writeFile(draft, [Buffer.from(`${JSON.stringify(header)}\n`), ...chunks], { mode: 0o600 });
        await rename(draft, pathOf(key));
        await removeOldest(folder);
      } catch (error) {
        log("A compiled document can't be kept for the next start.", error);
        // It may well be what can't be removed either.
        await rm(draft, { force: true }).catch(() => {});
      }
    },
  };
}

/** Only itself: the folder of the datastore is there, or nothing is kept. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

/** `undefined` for what is no whole file of this key. */
async function readKept(path: string, key: string): Promise<CachedCompilation | undefined> {
  const bytes = await readFile(path);
  const end = bytes.indexOf("\n");
  if (end === -1) return undefined;
  const header: Header = JSON.parse(bytes.toString("utf8", 0, end));
  const content = bytes.subarray(end + 1);
  if (header.key !== key || header.digest !== (await digest(content))) return undefined;
  let position = 0;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    position += length;
    return content.subarray(position - length, position);
  };
  const packs = header.packs.map(([heads, rest]) => ({ heads: take(heads), rest: take(rest) }));
  return { outcome: header.outcome, packs };
}

/** True as long as the documents that the entry document refers to are what they were. */
async function isCurrent({ documents }: CompileOutcome, read: ReadRelated): Promise<boolean> {
  for (const { url, digest: known } of documents.slice(1)) {
    const found = await read(url);
    if (!found.ok || `sha256:${await digest(found.source.bytes)}` !== known) return false;
  }
  return true;
}

async function removeOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  if (names.length <= mostFiles) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, used: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = files.toSorted((one, other) => other.used - one.used).slice(mostFiles);
  for (const { name } of oldest) await rm(join(folder, name), { force: true });
}

/** Over the gateway's own code and the versions it depends on: what another build has compiled counts for nothing. */
async function digestOfProgram(): Promise<string> {
  const root = dirname(dirname(import.meta.dirname));
  const hash = createHash("sha256").update(process.version);
  hash.update(await readFile(join(dirname(root), "package.json")));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.filter((name) => /\.[jt]s$/.test(name)).toSorted())
    hash.update(await readFile(path));
  return hash.digest("hex");
}

/** SHA-256 in hexadecimal digits, with other work of the thread in between. */
async function digest(bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  const giveWay = shareThread();
  for (let start = 0; start < bytes.length; start += digestStep) {
    hash.update(bytes.subarray(start, start + digestStep));
    await giveWay();
  }
  return hash.digest("hex");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
