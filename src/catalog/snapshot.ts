import type { Catalog } from "../model/catalog.ts";
import { emptyCatalog } from "./merge.ts";
import { type CatalogIndex, type CatalogView, createSurfaceView, indexCatalog } from "./view.ts";

/**
 * The catalog that is served now. A swap replaces it whole: a call that has begun goes on with what it found,
 * the next one sees the new catalog.
 */
export class CatalogSnapshot {
  #catalog: Catalog = emptyCatalog;
  #index: CatalogIndex | undefined;
  #views = new Map<string, CatalogView>();
  readonly #listeners = new Set<(catalog: Catalog) => void>();

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** Replaces the catalog and tells all subscribers, unless the new one is equal. */
  swap(catalog: Catalog): void {
    if (catalog.version === this.#catalog.version) return;
    this.#catalog = catalog;
    this.#index = undefined;
    this.#views = new Map();
    for (const listener of this.#listeners) listener(catalog);
  }

  /** Calls `listener` after every swap; returns the way to stop that. */
  subscribe(listener: (catalog: Catalog) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Where tools are in the catalog; built once per catalog. */
  get index(): CatalogIndex {
    this.#index ??= indexCatalog(this.#catalog);
    return this.#index;
  }

  /** What may be seen and called through `surface`; built once per catalog. */
  view(surface: "mcp" | "api"): CatalogView {
    const known = this.#views.get(surface);
    if (known !== undefined) return known;
    const view = createSurfaceView(this.index, surface);
    this.#views.set(surface, view);
    return view;
  }
}
