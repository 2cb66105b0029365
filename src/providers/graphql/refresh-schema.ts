import { isDeepStrictEqual } from "node:util";
import { GatewayError } from "../../errors.ts";
import type { SurfaceChange } from "../provider-kind.ts";
import { waitFor, withJitter } from "../wait.ts";
import type { OpenSchema } from "./open-schema.ts";

/** What a refresh works with. */
export interface SchemaRefresh {
  /** Longest pause between two readings, in ms; many gateways that started together drift apart. */
  readonly every: number;
  readonly read: () => Promise<OpenSchema>;
  /** What the surface was opened with. */
  readonly first: OpenSchema;
  /** Called with each schema that brings something new, before the listener. */
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
      const { operations, diagnostics } = opened;
      const isSame = isDeepStrictEqual([operations, diagnostics], [current.operations, current.diagnostics]);
      if (isSame && !isLost) continue;
      current = opened;
      isLost = false;
      take(opened);
      listener({ kind: "operations", operations, diagnostics });
    } catch (error) {
      if (signal.aborted) return;
      const isKnown = error instanceof GatewayError;
      if (!isKnown) log("The schema can't be read again, because of an internal error.", error);
      lose(isKnown ? error.message : "An internal error occurred; its cause is in the log.");
    }
  }
}
