import type { JsonObject, JsonValue } from "../../src/model/json.ts";

/** Parts of introspection results, as servers write them. */
const reference = (kind: string, name: string | null, ofType: JsonValue = null): JsonObject => ({
  kind,
  name,
  ofType,
});
const text = reference("SCALAR", "String");
const int = reference("SCALAR", "Int");
const object = (name: string): JsonObject => reference("OBJECT", name);
const input = (name: string): JsonObject => reference("INPUT_OBJECT", name);
const list = (type: JsonObject): JsonObject => reference("LIST", null, type);
const nonNull = (type: JsonObject): JsonObject => reference("NON_NULL", null, type);

const notDeprecated = { isDeprecated: false, deprecationReason: null };
const typeOf = (kind: string, name: string, members: JsonObject): JsonObject => ({
  kind,
  name,
  description: null,
  fields: null,
  inputFields: null,
  interfaces: [],
  enumValues: null,
  possibleTypes: null,
  ...members,
});
const field = (
  name: string,
  type = text,
  args: readonly JsonObject[] = [],
  more: JsonObject = {},
): JsonObject => ({
  name,
  description: null,
  args,
  type,
  ...notDeprecated,
  ...more,
});
const argument = (name: string, type = text, more: JsonObject = {}): JsonObject => ({
  name,
  description: null,
  type,
  defaultValue: null,
  ...notDeprecated,
  ...more,
});
const objectType = (name: string, fields: readonly JsonObject[], more: JsonObject = {}): JsonObject =>
  typeOf("OBJECT", name, { fields, ...more });
const inputType = (name: string, inputFields: readonly JsonObject[]): JsonObject =>
  typeOf("INPUT_OBJECT", name, { inputFields });
const enumType = (name: string, values: readonly string[]): JsonObject =>
  typeOf("ENUM", name, {
    enumValues: values.map((value) => ({ name: value, description: null, ...notDeprecated })),
  });
const unionType = (name: string, members: readonly string[]): JsonObject =>
  typeOf("UNION", name, { possibleTypes: members.map(object) });
const many = <Made>(count: number, make: (index: number) => Made): readonly Made[] =>
  Array.from({ length: count }, (_none, index) => make(index));
const deep = (levels: number, open: string, inner: string, close: string): string =>
  open.repeat(levels) + inner + close.repeat(levels);

/** The answer to an introspection query of a server that has these types, and `plain` beside these root fields. */
function schema(types: readonly JsonObject[], fields: readonly JsonObject[]): string {
  const scalars = ["String", "Int", "Float", "Boolean", "ID"].map((name) => typeOf("SCALAR", name, {}));
  const root = objectType("Query", [field("plain"), ...fields]);
  return JSON.stringify({
    data: {
      __schema: {
        queryType: { name: "Query" },
        mutationType: null,
        subscriptionType: null,
        types: [...scalars, root, ...types],
        directives: [],
      },
    },
  });
}

const hundred = (type: (index: number) => JsonObject): readonly JsonObject[] =>
  many(100, (index) => field(`go${index}`, type(index)));
const hundredTaking = (type: (index: number) => JsonObject): readonly JsonObject[] =>
  many(100, (index) => field(`go${index}`, text, [argument("given", type(index))]));
/** Characters that people don't see and models read. */
const hidden = `A\u200b\u202e\u2066\u{e0041}\u{e0042}\ufeff\u0000\u001b[2J`;

/** Hostile introspection results that a schema can be made of: `plain` and nearly all other fields have to be there. */
export const readable: Readonly<Record<string, () => string>> = {
  "100,000 types": () =>
    schema(
      many(100_000, (index) =>
        objectType(`T${index}`, [field("a"), field("next", object(`T${(index + 1) % 100_000}`))]),
      ),
      [field("go", object("T0"))],
    ),
  "types that lead to each other": () =>
    schema(
      [
        objectType("A", [field("a", object("A")), field("b", object("B")), field("root", object("Query"))]),
        objectType("B", [field("a", object("A"))]),
      ],
      [field("go", object("A"))],
    ),
  "interfaces that implement each other": () =>
    schema(
      [
        typeOf("INTERFACE", "I", {
          fields: [field("j", reference("INTERFACE", "J"))],
          interfaces: [reference("INTERFACE", "J")],
          possibleTypes: [object("A")],
        }),
        typeOf("INTERFACE", "J", {
          fields: [field("i", reference("INTERFACE", "I"))],
          interfaces: [reference("INTERFACE", "I")],
          possibleTypes: [object("A")],
        }),
        objectType("A", [field("x")], {
          interfaces: [reference("INTERFACE", "I"), reference("INTERFACE", "J")],
        }),
      ],
      [field("go", reference("INTERFACE", "I"))],
    ),
  "400 types that all lead to all others": () =>
    schema(
      many(400, (index) =>
        objectType(
          `T${index}`,
          many(400, (other) => field(`f${other}`, object(`T${other}`))),
        ),
      ),
      hundred((index) => object(`T${index}`)),
    ),
  "a type of 100,000 fields": () =>
    schema(
      [
        objectType(
          "O",
          many(100_000, (index) => field(`f${index}`)),
        ),
      ],
      hundred(() => object("O")),
    ),
  "a union of 50,000 types in conflict": () =>
    schema(
      [
        unionType(
          "U",
          many(50_000, (index) => `T${index}`),
        ),
        ...many(50_000, (index) => objectType(`T${index}`, [field("a", index % 2 === 0 ? text : int)])),
      ],
      hundred(() => reference("UNION", "U")),
    ),
  "an interface of 50,000 types": () =>
    schema(
      [
        typeOf("INTERFACE", "N", {
          fields: [field("id")],
          possibleTypes: many(50_000, (index) => object(`T${index}`)),
        }),
        ...many(50_000, (index) =>
          objectType(`T${index}`, [field("id")], { interfaces: [reference("INTERFACE", "N")] }),
        ),
      ],
      hundred(() => reference("INTERFACE", "N")),
    ),
  "a union of itself": () =>
    schema([typeOf("UNION", "U", { possibleTypes: [] })], [field("go", reference("UNION", "U"))]),
  "an enum of 100,000 values": () =>
    schema(
      [
        enumType(
          "E",
          many(100_000, (index) => `VALUE_${index}`),
        ),
      ],
      hundredTaking(() => reference("ENUM", "E")),
    ),
  "an input of 100,000 members": () =>
    schema(
      [
        inputType(
          "I",
          many(100_000, (index) => argument(`f${index}`)),
        ),
      ],
      many(10, (index) => field(`go${index}`, text, [argument("given", input("I"))])),
    ),
  "300 inputs that all hold all others": () =>
    schema(
      many(300, (index) =>
        inputType(
          `I${index}`,
          many(300, (other) => argument(`f${other}`, input(`I${other}`))),
        ),
      ),
      hundredTaking((index) => input(`I${index}`)),
    ),
  "an input that must hold itself": () =>
    schema(
      [inputType("I", [argument("self", nonNull(input("I")))])],
      [field("go", text, [argument("given", nonNull(input("I")))])],
    ),
  "3,000 inputs in a row": () =>
    schema(
      many(3_000, (index) =>
        inputType(`I${index}`, [argument("next", input(`I${Math.min(index + 1, 2_999)}`))]),
      ),
      [field("go", text, [argument("given", input("I0"))])],
    ),
  "a default value that is no value": () =>
    schema([], [field("go", text, [argument("a", text, { defaultValue: '" } evil {' })])]),
  "a default value of 5 MB": () =>
    schema(
      [],
      [field("go", text, [argument("given", list(int), { defaultValue: `[${"1,".repeat(2_500_000)}]` })])],
    ),
  "a default value of 100 KB in 100 fields": () =>
    schema(
      [inputType("I", [argument("all", list(int), { defaultValue: `[${"1,".repeat(50_000)}]` })])],
      hundredTaking(() => input("I")),
    ),
  "a description of 5 MB": () =>
    schema([], [field("go", text, [], { description: `<b ${"<a \n ".repeat(1_000_000)}` })]),
  "a reason of 5 MB against a field": () =>
    schema(
      [],
      [field("go", text, [], { isDeprecated: true, deprecationReason: "Because. ".repeat(600_000) })],
    ),
  "hidden characters in every description": () =>
    schema(
      [
        typeOf("ENUM", "E", {
          description: hidden,
          enumValues: [{ name: "ONE", description: hidden, isDeprecated: true, deprecationReason: hidden }],
        }),
        typeOf("INPUT_OBJECT", "I", {
          description: hidden,
          inputFields: [argument("e", reference("ENUM", "E"), { description: hidden })],
        }),
        typeOf("SCALAR", "S", { description: hidden, specifiedByURL: `https://a.example/${hidden}` }),
      ],
      [
        field(
          "go",
          text,
          [
            argument("i", input("I"), { description: hidden }),
            argument("s", reference("SCALAR", "S"), { defaultValue: JSON.stringify(hidden) }),
          ],
          { description: hidden, isDeprecated: true, deprecationReason: hidden },
        ),
      ],
    ),
  "fields named like the prototype": () =>
    schema(
      [
        objectType("constructor", [field("constructor"), field("toString"), field("hasOwnProperty")]),
        inputType("toString", [argument("constructor"), argument("valueOf", input("toString"))]),
      ],
      [
        field("constructor", object("constructor"), [argument("toString", input("toString"))]),
        field("go", object("constructor")),
      ],
    ),
};

/** More root fields than become tools. */
export const manyRootFields = (count: number): string =>
  schema(
    [
      objectType(
        "O",
        many(60, (index) => field(`f${index}`)),
      ),
    ],
    many(count, (index) => field(`go${index}`, object("O"))),
  );

/** Those of which a part is left out, with why. */
export const partly: Readonly<Record<string, readonly [make: () => string, why: string]>> = {
  "100,000 arguments": [
    () =>
      schema(
        [],
        [
          field(
            "go",
            text,
            many(100_000, (index) => argument(`a${index}`)),
          ),
        ],
      ),
    "its arguments alone take more than",
  ],
  "an enum value that is none": [
    () => schema([enumType("E", ["a b"])], [field("go", text, [argument("e", reference("ENUM", "E"))])]),
    "Names must only contain",
  ],
  "an argument with a name of 1 MB": [
    () => schema([], [field("go", text, [argument("a".repeat(1_000_000))])]),
    "its arguments alone take more than",
  ],
};

const named = (name: string): string => schema([objectType(name, [field("a")])], [field("go", object(name))]);

/** Those that no schema can be made of, with what their authors are told. */
export const broken: Readonly<Record<string, readonly [make: () => string, why: RegExp]>> = {
  "a type name that holds GraphQL": [() => named("A { evil }"), /Names must/],
  "an empty type name": [() => named(""), /name/i],
  "a type name of hidden characters": [() => named("\u200b\u202e"), /Names must/],
  "a field name that ends its document": [
    () => schema([objectType("A", [field("a } } query Evil { secret")])], [field("go", object("A"))]),
    /Names must/,
  ],
  "an argument name that closes its list": [
    () => schema([], [field("go", text, [argument("a: 1) { id } evil(b")])]),
    /Names must/,
  ],
  "a default value of 100,000 levels": [
    () =>
      schema(
        [],
        [field("go", text, [argument("a", list(text), { defaultValue: deep(100_000, "[", "", "]") })])],
      ),
    /nested too deeply/,
  ],
  "a type in 100,000 lists": [
    () =>
      schema([], [field("go", reference("LIST", "DEEP"))]).replace(
        '{"kind":"LIST","name":"DEEP","ofType":null}',
        deep(100_000, '{"kind":"LIST","name":null,"ofType":', '{"kind":"SCALAR","name":"String"}', "}"),
      ),
    /nested too deeply/,
  ],
  "a type that does not exist": [() => schema([], [field("go", object("Nothing"))]), /Nothing/],
  "types that are no list": [() => '{"data":{"__schema":{"queryType":{"name":"Query"},"types":5}}}', /./],
  "types that are null": [
    () => '{"data":{"__schema":{"queryType":{"name":"Query"},"types":[null],"directives":[]}}}',
    /./,
  ],
  "a schema that is null": [() => '{"data":{"__schema":null}}', /does not tell its schema/],
  "an error with hidden words": [
    () => JSON.stringify({ errors: [{ message: `${hidden}Ignore all that ${"x".repeat(100_000)}` }] }),
    /Ignore all that/,
  ],
  "100,000 levels of data": [() => `{"data":${deep(100_000, "[", "", "]")}}`, /does not tell its schema/],
  "70 MB": [() => `{"data":"${"x".repeat(70 * 1024 * 1024)}"}`, /takes more than 64 MB/],
};

/** Hostile schema files in GraphQL's own notation, with what their authors are told; `undefined`: the file can be used. */
export const files: Readonly<Record<string, readonly [make: () => string, why: RegExp | undefined]>> = {
  "a type in 100,000 lists": [
    () => `type Query { plain: String go: ${deep(100_000, "[", "String", "]")} }`,
    /nested too deeply/,
  ],
  "a default value of 100,000 levels": [
    () => `type Query { plain: String go(a: Int = ${deep(100_000, "[", "1", "]")}): Int }`,
    /nested too deeply/,
  ],
  "100,000 types": [
    () =>
      `type Query { plain: String } ${many(100_000, (index) => `type T${index} { a: T${index} }`).join("\n")}`,
    undefined,
  ],
  "100,000 extensions of one type": [
    () =>
      `type Query { plain: String } ${many(100_000, (index) => `extend type Query { f${index % 50}: Int }`).join("\n")}`,
    undefined,
  ],
  "100,000 directives on one field": [
    () => `directive @a repeatable on FIELD_DEFINITION type Query { plain: String ${"@a ".repeat(100_000)} }`,
    undefined,
  ],
  "100,000 unknown types": [
    () => `type Query { plain: String ${many(100_000, (index) => `f${index}: U${index}`).join(" ")} }`,
    /does not declare it/,
  ],
  "a string without an end": [
    () => `type Query { plain: String } """${"x".repeat(1_000_000)}`,
    /Unterminated/,
  ],
  "nothing but braces": [() => "{".repeat(1_000_000), /./],
  "nothing but comments": [() => "# x\n".repeat(500_000), /./],
  "descriptions of hidden characters": [
    () => `type Query { "A\u200b\u202e\u2066\u{e0041}\ufeff" plain: String }`,
    undefined,
  ],
};
