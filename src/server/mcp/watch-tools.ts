import type { CatalogSnapshot } from "../../catalog/snapshot.ts";
import type { ToolList } from "./tool-list.ts";

/** Tells when the tools that clients see have changed. */
export interface ToolWatch {
  /** Digest of the list as it is now; a change that was still being collected is told of first. */
  readonly digest: () => string;
  /** Calls back after changes; returns the way to stop that. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

/**
 * Watches the catalog. Many swaps in a short time, as while providers arrive, are one change, and none if the list is as it was
 * before them.
 *
 * @param milliseconds how long swaps are collected.
 */
export function watchTools(snapshot: CatalogSnapshot, list: () => ToolList, milliseconds: number): ToolWatch {
  const listeners = new Set<() => void>();
  let digest = list().digest;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    timer = undefined;
    const current = list().digest;
    if (current === digest) return;
    digest = current;
    for (const listener of listeners) listener();
  };
  const unsubscribe = snapshot.subscribe(() => {
    timer ??= setTimeout(look, milliseconds).unref();
  });
  return {
    digest: () => {
      // Who asks gets the list of now: a change before that is none to them.
      if (timer !== undefined) {
        clearTimeout(timer);
        look();
      }
      return digest;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      unsubscribe();
      clearTimeout(timer);
      listeners.clear();
    },
  };
}
