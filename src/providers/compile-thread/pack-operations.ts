import { hash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Binding, Operation } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";

/** Some operations in little memory: their schemas are most of what a large document comes to, and few are ever asked for. */
export interface PackedOperations {
  /** A JSON array of what every list of operations shows, compressed (RFC 1951). */
  readonly heads: Uint8Array<ArrayBuffer>;
  /** Three lines of JSON for each operation, compressed alike: binding, input schema and output schema. The last may be empty. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

/** An operation as it is stored. */
type OperationHead = Omit<Operation, "inputSchema" | "outputSchema" | "binding">;

/** Characters of the rest in one pack. Reading one schema unpacks all of its pack, which takes some 0.3 ms. */
const packLength = 128 * 1024;

/** Speed counts here: level 1 makes packs of a fifth, the best one of a sixth. */
const level = 1;

/** Packs operations as they come. */
export class OperationPacker {
  readonly #take: (pack: PackedOperations) => void;
  #heads: OperationHead[] = [];
  #lines: string[] = [];
  #length = 0;

  /** `take` is given each pack once it is full. */
  constructor(take: (pack: PackedOperations) => void) {
    this.#take = take;
  }

  add(operation: Operation): void {
    const { inputSchema, outputSchema, binding, ...facts } = operation;
    const schemas = [
      JSON.stringify(inputSchema),
      outputSchema === undefined ? "" : JSON.stringify(outputSchema),
    ];
    const lines = [JSON.stringify(binding), ...schemas];
    const packed = { schemas: digest(schemas.join("\n")), binding: digest(lines[0] ?? "") };
    this.#heads.push({ ...facts, packed });
    for (const line of lines) {
      this.#lines.push(line);
      this.#length += line.length;
    }
    if (this.#length >= packLength) this.end();
  }

  /** Hands over what is left. */
  end(): void {
    if (this.#heads.length === 0) return;
    const heads = compress(JSON.stringify(this.#heads));
    const rest = compress(this.#lines.join("\n"));
    this.#heads = [];
    this.#lines = [];
    this.#length = 0;
    this.#take({ heads, rest });
  }
}

/** In memory of its own, which may change threads. */
function compress(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(deflateRawSync(text, { level }));
}

function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}

/** The operations of a pack. The rest of each stays packed until somebody asks for it, and is held as long as somebody holds it. */
export function unpackOperations({ heads, rest }: PackedOperations): readonly Operation[] {
  const operations: readonly OperationHead[] = JSON.parse(inflateRawSync(heads).toString());
  const lines = holdWeakly(() => inflateRawSync(rest).toString().split("\n"));
  return operations.map((head, index) => {
    const binding = holdWeakly(() => parseLine<Binding>(lines()[index * 3]));
    const input = holdWeakly(() => parseLine<JsonSchema>(lines()[index * 3 + 1]));
    const output = holdWeakly(() => parseLine<JsonSchema | null>(lines()[index * 3 + 2] || "null") ?? none);
    return {
      ...head,
      get binding() {
        return binding();
      },
      get inputSchema() {
        return input();
      },
      get outputSchema() {
        const schema = output();
        return schema === none ? undefined : schema;
      },
    };
  });
}

/** Stands for an output schema that is not there. */
const none: JsonSchema = {};

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
