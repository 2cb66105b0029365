/** Keeps what was made last, by key: the entry that was not asked for the longest is dropped for a new one. */
export interface BoundedCache<Value> {
  /** What is kept under the key, else what `make` gives, which is kept from now on. */
  get(key: string, make: () => Value): Value;
}

/** Makes a cache of at most `most` entries. */
export function createBoundedCache<Value>(most: number): BoundedCache<Value> {
  const entries = new Map<string, { readonly value: Value }>();
  return {
    get: (key, make) => {
      const entry = entries.get(key) ?? { value: make() };
      // A map lists its entries as they were put in: the first one is the oldest.
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > most) for (const oldest of entries.keys()) return drop(oldest, entry.value);
      return entry.value;
    },
  };

  function drop(key: string, value: Value): Value {
    entries.delete(key);
    return value;
  }
}
