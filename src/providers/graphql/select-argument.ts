import {
  BREAK,
  type DocumentNode,
  type FieldNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isListType,
  Kind,
  parse,
  type SelectionSetNode,
  TypeInfo,
  type ValueNode,
  validate,
  visit,
  visitWithTypeInfo,
} from "graphql";
import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { parseSelectionText, printSelectionSet } from "./selection-text.ts";

/** Far more than a model writes, and little enough for all checks together to take milliseconds. */
const limits = { characters: 8192, tokens: 2000, depth: 12, fields: 300, aliases: 20 };

/** Most values that an answer may hold by estimate. */
const mostValues = 50_000;

/** What a list without a page size is taken to hold. */
const assumedItems = 10;

const pageSizes: ReadonlySet<string> = new Set([
  "first",
  "last",
  "limit",
  "take",
  "top",
  "count",
  "size",
  "pageSize",
  "page_size",
  "perPage",
  "per_page",
]);

const mostFaults = 5;

/**
 * Reads the argument by which a caller chooses fields, as far as that needs no schema: one selection set within limits,
 * without directives and named fragments. Returns it on one line. Throws `invalid_arguments`.
 */
export function readSelectArgument(argument: string, value: JsonValue): string {
  if (typeof value !== "string") throw refusal(argument, ["It has to be a text such as `{ id name }`."]);
  if (value.length > limits.characters)
    throw refusal(argument, [`It is longer than ${limits.characters} characters. Ask for fewer fields.`]);
  const parsed = parseSelectionText(value, limits);
  if (!parsed.ok) throw refusal(argument, [parsed.fault]);
  const fault = findForbidden(parsed.selection);
  if (fault !== undefined) throw refusal(argument, [fault]);
  return printSelectionSet(parsed.selection);
}

/**
 * Checks a document that holds a caller's selection against the schema: it is valid, keeps away from the root types, and
 * asks for no more than an answer can reasonably hold. Throws `invalid_arguments`.
 *
 * @param variables what the call gives the document, because a selection may name page sizes by variables
 */
export function checkSelected(
  schema: GraphQLSchema,
  document: string,
  argument: string,
  variables: JsonObject,
): void {
  const parsed = parse(document, { noLocation: true });
  const faults = validate(schema, parsed, undefined, { maxErrors: mostFaults });
  if (faults.length > 0)
    throw refusal(
      argument,
      faults.slice(0, mostFaults).map(({ message }) => message),
    );
  const excess = findExcess(schema, parsed, variables);
  if (excess !== undefined) throw refusal(argument, [excess]);
}

function findForbidden(selection: SelectionSetNode): string | undefined {
  let fields = 0;
  let aliases = 0;
  let fault: string | undefined;
  visit(selection, {
    enter: (node) => {
      if (node.kind === Kind.DIRECTIVE) fault = `Directives (\`@${node.name.value}\`) can't be used here.`;
      if (node.kind === Kind.FRAGMENT_SPREAD)
        fault = `The fragment \`${node.name.value}\` does not exist. Write \`... on Type { … }\` in place.`;
      if (node.kind === Kind.FIELD) {
        fields += 1;
        if (node.alias !== undefined) aliases += 1;
        if (fields > limits.fields) fault = `It has more than ${limits.fields} fields. Ask for fewer.`;
        if (aliases > limits.aliases) fault = `It has more than ${limits.aliases} aliases. Use fewer.`;
      }
      return fault === undefined ? undefined : BREAK;
    },
  });
  return fault;
}

/** How many values one field on the way to a place stands for. */
interface Level {
  readonly values: number;
  /** A page size was given, so that the page's own list does not count again. */
  readonly isSized: boolean;
}

function findExcess(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: JsonObject,
): string | undefined {
  const roots = new Set(
    [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map((type) => type?.name),
  );
  const typeInfo = new TypeInfo(schema);
  const levels: Level[] = [];
  let values = 0;
  let fault: string | undefined;
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      InlineFragment: ({ typeCondition }) => {
        if (typeCondition === undefined || !roots.has(typeCondition.name.value)) return undefined;
        fault = leadsToRoot(`... on ${typeCondition.name.value}`);
        return BREAK;
      },
      Field: {
        enter: (node) => {
          const type = typeInfo.getType();
          const isRoot = levels.length === 0;
          // Many mutations return `query: Query`, through which every other root field could be reached.
          if (!isRoot && type && roots.has(getNamedType(type).name)) fault = leadsToRoot(node.name.value);
          const above = levels.at(-1) ?? { values: 1, isSized: false };
          const level = enter(above, node, type ?? undefined, variables);
          levels.push(level);
          values += level.values;
          if (values > mostValues)
            fault = `It may return more than ${mostValues} values. Ask for smaller pages, or for fewer lists inside of lists.`;
          return fault === undefined ? undefined : BREAK;
        },
        leave: () => {
          levels.pop();
        },
      },
    }),
  );
  return fault;
}

function leadsToRoot(what: string): string {
  return `\`${what}\` leads back to the root of the API. Use the tool of the field that you need.`;
}

function enter(
  above: Level,
  node: FieldNode,
  type: GraphQLOutputType | undefined,
  variables: JsonObject,
): Level {
  const sizes = (node.arguments ?? [])
    .filter(({ name }) => pageSizes.has(name.value))
    .flatMap(({ value }) => pageSize(value, variables) ?? []);
  if (sizes.length > 0) return { values: above.values * Math.max(1, ...sizes.map(Math.abs)), isSized: true };
  if (type === undefined || !isListType(getNullableType(type))) return above;
  return above.isSized
    ? { values: above.values, isSized: false }
    : { values: above.values * assumedItems, isSized: false };
}

/** `undefined` where none is given: a variable without a value, or `null`. */
function pageSize(value: ValueNode, variables: JsonObject): number | undefined {
  if (value.kind === Kind.INT) return Number(value.value);
  if (value.kind !== Kind.VARIABLE) return value.kind === Kind.NULL ? undefined : assumedItems;
  const name = value.name.value;
  const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (given === undefined || given === null) return undefined;
  return typeof given === "number" ? given : assumedItems;
}

function refusal(argument: string, faults: readonly string[]): GatewayError {
  const list = faults.length === 1 ? ` ${faults[0]}` : `\n${faults.map((fault) => `- ${fault}`).join("\n")}`;
  return new GatewayError("invalid_arguments", `The argument \`${argument}\` can't be used.${list}`, {
    details: { argument },
  });
}
