import { hash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Binding, Operation } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";

/** Some operations in little memory: their schemas are most of what a large document comes to, and few are ever asked for. */
export interface PackedOperations {
  /** A JSON array of what every list of operations shows, compressed (RFC 1951). */
  readonly heads: Uint8Array<ArrayBuffer>;
  /** Lines of JSON, compressed alike: bindings and schemas. What operations share stands there once. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

/** An operation as it is stored. */
type OperationHead = Omit<Operation, "inputSchema" | "outputSchema" | "binding"> & {
  /** The lines of its binding, its input schema and, if it has one, its output schema. */
  readonly lines: readonly [binding: number, input: number, output?: number];
};

/** Bytes of the rest in one pack. Reading one schema unpacks all of its pack, which takes about a millisecond. */
const packLength = 512 * 1024;

/** Speed counts here: level 1 makes packs of a fifth, the best one of a sixth. */
const level = 1;

/** Packs operations as they come. */
export class OperationPacker {
  readonly #take: (pack: PackedOperations) => void;
  readonly #heads = new TextBuffer();
  readonly #rest = new TextBuffer();
  #lineCount = 0;
  /** Lines of this pack by what they were made from. */
  #known = new Map<object, number>();
  readonly #digests = new WeakMap<object, string>();

  /** `take` is given each pack once it is full. */
  constructor(take: (pack: PackedOperations) => void) {
    this.#take = take;
  }

  add(operation: Operation): void {
    const { inputSchema, outputSchema, binding, ...facts } = operation;
    const at = this.#write(binding);
    const input = this.#write(inputSchema);
    const output = outputSchema && this.#write(outputSchema);
    const head: OperationHead = {
      ...facts,
      packed: { schemas: `${input.digest} ${output?.digest ?? ""}`, binding: at.digest },
      lines: output ? [at.line, input.line, output.line] : [at.line, input.line],
    };
    this.#heads.append(`${this.#heads.length === 0 ? "[" : ","}${JSON.stringify(head)}`);
    if (this.#rest.length >= packLength) this.end();
  }

  /** Hands over what is left. */
  end(): void {
    if (this.#heads.length === 0) return;
    this.#heads.append("]");
    const heads = compress(this.#heads.take());
    const rest = compress(this.#rest.take());
    this.#lineCount = 0;
    this.#known = new Map();
    this.#take({ heads, rest });
  }

  #write(value: object): { readonly line: number; readonly digest: string } {
    const known = this.#known.get(value);
    const digest = this.#digests.get(value);
    if (known !== undefined && digest !== undefined) return { line: known, digest };
    const line = this.#lineCount;
    if (line > 0) this.#rest.append("\n");
    const text = this.#rest.append(JSON.stringify(value));
    const fresh = digest ?? hash("sha256", text, "base64url").slice(0, 22);
    this.#digests.set(value, fresh);
    this.#known.set(value, line);
    this.#lineCount += 1;
    return { line, digest: fresh };
  }
}

/** Text that grows, as UTF-8 in memory that is used again: as many strings, what waits to be packed would be much to clear up. */
class TextBuffer {
  #bytes = Buffer.allocUnsafeSlow(packLength / 4);
  /** In bytes. */
  length = 0;

  /** Gives the bytes of the text, which stand there until something else is called. */
  append(text: string): Buffer {
    // No character takes more bytes.
    const needed = this.length + text.length * 3;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    const start = this.length;
    this.length += this.#bytes.write(text, start);
    return this.#bytes.subarray(start, this.length);
  }

  /** Everything, to be used up before something else is appended; the next text begins anew. */
  take(): Buffer {
    const all = this.#bytes.subarray(0, this.length);
    this.length = 0;
    return all;
  }
}

/** In memory of its own, which may change threads. */
function compress(text: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(deflateRawSync(text, { level }));
}

/** The operations of a pack. The rest of each stays packed until somebody asks for it, and is held as long as somebody holds it. */
export function unpackOperations({ heads, rest }: PackedOperations): readonly Operation[] {
  const operations: readonly OperationHead[] = JSON.parse(inflateRawSync(heads).toString());
  const lines = holdWeakly(() => inflateRawSync(rest).toString().split("\n"));
  return operations.map(({ lines: [at, input, output], ...head }) => {
    const binding = holdWeakly(() => parseLine<Binding>(lines()[at]));
    const inputSchema = holdWeakly(() => parseLine<JsonSchema>(lines()[input]));
    const outputSchema =
      output === undefined ? undefined : holdWeakly(() => parseLine<JsonSchema>(lines()[output]));
    return {
      ...head,
      get binding() {
        return binding();
      },
      get inputSchema() {
        return inputSchema();
      },
      get outputSchema() {
        return outputSchema?.();
      },
    };
  });
}

/** Makes a value when it is asked for, and anew when nobody has held it since. */
function holdWeakly<Value extends object>(make: () => Value): () => Value {
  let held: WeakRef<Value> | undefined;
  return () => {
    const known = held?.deref();
    if (known !== undefined) return known;
    const value = make();
    held = new WeakRef(value);
    return value;
  };
}

/** A line of a pack, which only this module writes. */
function parseLine<Value>(line: string | undefined): Value {
  return JSON.parse(line ?? "");
}
