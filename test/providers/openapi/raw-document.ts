/** A part of a document as it was parsed. */
export type Node = Readonly<Record<string, unknown>>;

/** A member of an object body as the document has it. */
export interface RawField {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly isCredential: boolean;
}

/** The value as an object; an empty one for everything else. */
export function nodeOf(value: unknown): Node {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Node) : {};
}

/** Follows references inside the document; one that leads nowhere gives an empty object. */
export function resolveNode(root: Node, value: unknown): Node {
  let node = nodeOf(value);
  for (let step = 0; step < 50 && typeof node["$ref"] === "string"; step += 1) {
    const pointer = node["$ref"];
    if (!pointer.startsWith("#/")) return {};
    const keys = decodeURIComponent(pointer.slice(2))
      .split("/")
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    node = nodeOf(keys.reduce<unknown>((parent, key) => memberOf(parent, key), root));
  }
  return node;
}

/** Every field that an object of the schema may have at its top level: own ones and those of its parts and alternatives. */
export function rawFields(root: Node, schema: unknown): readonly RawField[] {
  const fields = new Map<string, RawField>();
  const seen = new Set<unknown>();
  const visit = (written: unknown): void => {
    // Documents name the same schema many times; its reference tells that it was here before.
    const identity = nodeOf(written)["$ref"] ?? written;
    if (seen.has(identity)) return;
    seen.add(identity);
    const node = resolveNode(root, written);
    for (const [name, member] of Object.entries(nodeOf(node["properties"]))) {
      if (member === false) continue;
      const resolved = resolveNode(root, member);
      const isCredential =
        name === "token" &&
        String(resolved["description"]).startsWith("Authentication token. Requires scope");
      const isReadOnly = [member, resolved, ...partsOf(root, resolved)].some(
        (part) => nodeOf(part)["readOnly"] === true,
      );
      const known = fields.get(name);
      fields.set(name, { name, isReadOnly: isReadOnly && (known?.isReadOnly ?? true), isCredential });
    }
    for (const keyword of ["allOf", "oneOf", "anyOf"]) {
      const parts = node[keyword];
      if (Array.isArray(parts)) for (const part of parts) visit(part);
    }
  };
  visit(schema);
  return [...fields.values()];
}

function partsOf(root: Node, schema: Node): readonly Node[] {
  const parts = schema["allOf"];
  return Array.isArray(parts) ? parts.map((part) => resolveNode(root, part)) : [];
}

function memberOf(parent: unknown, key: string): unknown {
  if (parent === null || typeof parent !== "object" || !Object.hasOwn(parent, key)) return undefined;
  return Reflect.get(parent, key);
}
