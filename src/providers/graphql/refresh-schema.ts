import { isDeepStrictEqual } from "node:util";
import { GatewayError } from "../../errors.ts";
import type { SurfaceChange } from "../provider-kind.ts";
import { shareThread } from "../share-thread.ts";
import { waitFor, withJitter } from "../wait.ts";
import type { CompiledSchema } from "./compile.ts";
import type { OpenSchema } from "./open-schema.ts";

/** What a refresh works with. */
export interface SchemaRefresh {
  /** Longest pause between two readings, in ms; many gateways that started together drift apart. */
  readonly every: number;
  readonly read: () => Promise<OpenSchema>;
  /** What the surface was opened with. */
  readonly first: CompiledSchema;
  /** Called with each schema that was read, before the listener: it may differ in what no operation shows. */
  readonly take: (opened: OpenSchema) => void;
  readonly signal: AbortSignal;
  readonly log: (message: string, cause?: unknown) => void;
}

/**
 * Reads a schema again and again until the signal ends it, and tells what has changed. A schema that can't be read any more is
 * `lost`: the operations stay as they were, until a later reading succeeds.
 */
export async function refreshSchema(
  { every, read, first, take, signal, log }: SchemaRefresh,
  listener: (change: SurfaceChange) => void,
): Promise<void> {
  let current = first;
  let isLost = false;
  const lose = (reason: string): void => {
    isLost = true;
    listener({ kind: "lost", reason });
  };
  while (await waitFor(withJitter(every), signal)) {
    try {
      const opened = await read();
      if (signal.aborted) return;
      if (opened.schema === undefined) {
        lose(opened.diagnostics.map(({ message }) => message).join(" "));
        continue;
      }
      take(opened);
      const { operations, diagnostics } = opened;
      if (!isLost && (await isSame(opened, current))) continue;
      if (signal.aborted) return;
      current = { operations, diagnostics };
      isLost = false;
      listener({ kind: "operations", operations, diagnostics });
    } catch (error) {
      if (signal.aborted) return;
      const isKnown = error instanceof GatewayError;
      if (!isKnown) log("The schema can't be read again, because of an internal error.", error);
      lose(isKnown ? error.message : "An internal error occurred; its cause is in the log.");
    }
  }
}

/** Compared in turns with other work, because large schemas have megabytes of operations. */
async function isSame(one: CompiledSchema, other: CompiledSchema): Promise<boolean> {
  if (one.operations.length !== other.operations.length) return false;
  if (!isDeepStrictEqual(one.diagnostics, other.diagnostics)) return false;
  const giveWay = shareThread();
  for (const [index, operation] of one.operations.entries()) {
    if (!isDeepStrictEqual(operation, other.operations[index])) return false;
    await giveWay();
  }
  return true;
}
