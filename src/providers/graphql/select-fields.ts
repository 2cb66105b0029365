import {
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type GraphQLUnionType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import type { GraphqlAliases } from "../../model/catalog.ts";
import {
  aliasesOf,
  isEmpty,
  leafField,
  printFieldHead,
  printSelection,
  type SelectedField,
  type SelectedFragment,
  type SelectionSet,
} from "./selection-set.ts";

/** How much a default selection may hold. */
export interface SelectionLimits {
  /** Levels of objects below the root field whose leaves are selected. A connection and its nodes are one level. */
  readonly depth: number;
  /** Most bytes of the selection's text. */
  readonly bytes: number;
  /** Most fields, leaves and objects together. */
  readonly fields: number;
  /** Most inline fragments of one union or interface; 0: none. */
  readonly members: number;
  /**
   * Whether objects that several members have under one name are always kept apart by aliases. By default only those of different
   * types are; two of one type may still be selected in ways that conflict.
   */
  readonly separatesObjects?: boolean;
}

/** What a root field asks for when the caller doesn't say. */
export interface Selection {
  /** `{ id name owner { id } }`, on one line. */
  readonly text: string;
  readonly aliases: GraphqlAliases | undefined;
}

/** The selection that fits every object: it says only of what type the object is. */
export const typenameSelection: Selection = { text: "{ __typename }", aliases: undefined };

/** What is still free, spent from top to bottom. */
interface Budget {
  bytes: number;
  fields: number;
}

/** Where in the selection the walk is. */
interface Position {
  /** Levels of objects still to enter. */
  readonly depthLeft: number;
  /** Types on the way here: none is entered twice. */
  readonly path: ReadonlySet<string>;
  /** True below a list, where one more page of children would be asked for once per element. */
  readonly insideList: boolean;
}

const emptySelection: SelectionSet = { fields: [], fragments: [] };

const typenameField = leafField("__typename", "__typename");

/** What a nested page holds where the server wants to be told: enough to see what is there, cheap to compute. */
const nestedPageSize = 10;

/** Most fields of one type that are looked at; types of hostile schemas have fields without number. */
const mostCandidates = 5000;

/** Fewest bytes that a child object is worth selecting for; with more children than that allows, the last ones are left out. */
const smallestShare = 160;

/** What identifies an object comes first when not everything fits. */
const identifyingNames = [
  "id",
  "name",
  "title",
  "key",
  "slug",
  "login",
  "number",
  "url",
  "status",
  "state",
  "message",
  "code",
  "field",
];

/** The parts of a page's `pageInfo` that lead to the next one. */
const pageInfoNames = new Set(["hasNextPage", "endCursor"]);

/**
 * Chooses the fields that a root field of type `type` returns by default: leaves down to the given depth, pages with their
 * items and the way to the next page, unions and interfaces by inline fragments. Deprecated fields, fields that need an
 * argument, and types that are already on the way are left out. Each child object gets a fair share of what is left of the
 * budget, so that an early large one can't starve those after it.
 *
 * Returns `undefined` for leaf types, which take no selection.
 */
export function selectFields(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
  limits: SelectionLimits,
): Selection | undefined {
  const namedType = getNamedType(type);
  if (!isCompositeType(namedType)) return undefined;
  const rootTypes = [schema.getQueryType(), schema.getMutationType()].flatMap((root) =>
    root ? [root.name] : [],
  );
  const budget: Budget = { bytes: limits.bytes, fields: limits.fields };
  const selection = selectComposite(
    namedType,
    { depthLeft: limits.depth - 1, path: new Set(rootTypes), insideList: hasList(type) },
    budget,
  );
  if (isEmpty(selection)) return typenameSelection;
  return { text: printSelection(selection), aliases: aliasesOf(selection) };

  function selectComposite(composite: GraphQLCompositeType, position: Position, free: Budget): SelectionSet {
    if (position.path.has(composite.name)) return emptySelection;
    free.bytes -= "{  }".length;
    const inside = enter(composite, position);
    if (!isObjectType(composite)) return selectAbstract(composite, inside, free);
    return isConnection(composite)
      ? selectConnection(composite, inside, free)
      : selectOwnFields(composite, inside, free);
  }

  function selectOwnFields(
    owner: GraphQLObjectType | GraphQLInterfaceType,
    position: Position,
    free: Budget,
    isWanted: (field: GraphQLField) => boolean = () => true,
    keyOf: (field: GraphQLField) => string = (field) => field.name,
  ): SelectionSet {
    const candidates = Object.values(owner.getFields())
      .slice(0, mostCandidates)
      .filter((field) => isSelectable(field) && isWanted(field));
    const fields: SelectedField[] = [];
    for (const leaf of candidates.filter(isLeaf).toSorted(byIdentification)) {
      const selected = leafField(keyOf(leaf), leaf.name);
      if (spend(free, printFieldHead(selected))) fields.push(selected);
    }
    if (position.depthLeft > 0) {
      const children = candidates
        .filter((field) => isEnterable(field, position))
        .toSorted(objectsBeforePages);
      for (const [index, child] of children.entries()) {
        const shares = Math.min(children.length - index, Math.floor(free.bytes / smallestShare));
        const selected = selectChild(child, keyOf(child), position, free, Math.max(1, shares));
        if (selected !== undefined) fields.push(selected);
      }
    }
    return { fields, fragments: [] };
  }

  function selectChild(
    field: GraphQLField,
    key: string,
    position: Position,
    free: Budget,
    shares: number,
  ): SelectedField | undefined {
    const childType = getNamedType(field.type);
    if (!isCompositeType(childType)) return undefined;
    const argumentText = takesPageSize(field) ? `(first: ${nestedPageSize})` : "";
    return fromShare(free, shares, (share) => {
      const selected = { ...leafField(key, field.name), argumentText };
      if (!spend(share, printFieldHead(selected))) return undefined;
      const child: Position = {
        depthLeft: position.depthLeft - 1,
        path: position.path,
        insideList: position.insideList || hasList(field.type),
      };
      const chosen = selectComposite(childType, child, share);
      return isEmpty(chosen) ? undefined : { ...selected, selection: chosen };
    });
  }

  /** A page: its own leaves (such as `totalCount`), and its items, at the same depth, with the way to the next page. */
  function selectConnection(connection: GraphQLObjectType, position: Position, free: Budget): SelectionSet {
    const pageInfo = fromShare(free, 1, (share) => selectPageInfo(connection, share));
    // Nothing but the leaves of the page itself: its objects are the items and the way to more of them.
    const { fields } = selectOwnFields(connection, { ...position, depthLeft: 0 }, free);
    const items = selectItems(connection, { ...position, insideList: true }, free);
    if (items === undefined) return { fields, fragments: [] };
    return { fields: [...fields, items, ...(pageInfo === undefined ? [] : [pageInfo])], fragments: [] };
  }

  function selectPageInfo(connection: GraphQLObjectType, free: Budget): SelectedField | undefined {
    const pageInfo = connection.getFields().pageInfo;
    const type = pageInfo && isSelectable(pageInfo) ? getNamedType(pageInfo.type) : undefined;
    if (!isObjectType(type) || !spend(free, "pageInfo {  }")) return undefined;
    const inside: Position = { depthLeft: 0, path: new Set(), insideList: false };
    const selection = selectOwnFields(type, inside, free, (field) => pageInfoNames.has(field.name));
    return isEmpty(selection) ? undefined : { ...leafField("pageInfo", "pageInfo"), selection };
  }

  function selectItems(
    connection: GraphQLObjectType,
    position: Position,
    free: Budget,
  ): SelectedField | undefined {
    const items = connectionItems(connection);
    if (items === undefined) return undefined;
    const inItems: Position = { ...position, depthLeft: position.depthLeft + 1 };
    if (items.through === "nodes") return selectChild(items.field, "nodes", inItems, free, 1);
    return fromShare(free, 1, (share) => {
      if (!spend(share, "edges { cursor }", 2)) return undefined;
      const node = selectChild(items.field, "node", inItems, share, 1);
      if (node === undefined) return undefined;
      const cursor = items.edgeType.getFields().cursor;
      const cursorFields =
        cursor && isSelectable(cursor) && isLeaf(cursor) ? [leafField("cursor", "cursor")] : [];
      return {
        ...leafField("edges", "edges"),
        selection: { fields: [...cursorFields, node], fragments: [] },
      };
    });
  }

  /** A union or interface: what its members have in common, and a fragment for each of the first members. */
  function selectAbstract(
    abstract: GraphQLInterfaceType | GraphQLUnionType,
    position: Position,
    free: Budget,
  ): SelectionSet {
    if (!spend(free, "__typename")) return emptySelection;
    const common = isInterfaceType(abstract) ? selectOwnFields(abstract, position, free).fields : [];
    const commonKeys = new Set(common.map((field) => field.key));
    const typesByKey = new Map<string, string>();
    const aliases = new Set<string>();
    const fragments: SelectedFragment[] = [];
    const members = fragmentMembers(abstract).filter((member) => !position.path.has(member.name));
    /**
     * Two members may have fields of one name and different types; a document that selects both under that name is invalid
     * (GraphQL specification 5.3.2, fields in a set must merge), so the later one gets an alias, which no member has a field of.
     */
    const keyWithoutConflict = (member: GraphQLObjectType, field: GraphQLField): string => {
      const taken = typesByKey.get(field.name);
      const isApart = limits.separatesObjects === true && !isLeaf(field);
      if (taken === undefined || (taken === String(field.type) && !isApart)) return field.name;
      let alias = `${member.name}_${field.name}`;
      while (aliases.has(alias) || members.some((other) => other.getFields()[alias] !== undefined))
        alias += "_";
      aliases.add(alias);
      return alias;
    };
    for (const [index, member] of members.entries()) {
      const fragment = fromShare(free, members.length - index, (share) => {
        share.bytes -= `... on ${member.name} {  } `.length;
        const isOwn = (field: GraphQLField) => !commonKeys.has(field.name);
        const keyOf = (field: GraphQLField) => keyWithoutConflict(member, field);
        const selection = selectOwnFields(member, enter(member, position), share, isOwn, keyOf);
        return isEmpty(selection) ? undefined : { typeName: member.name, selection };
      });
      if (fragment === undefined) continue;
      fragments.push(fragment);
      const ownFields = member.getFields();
      for (const { key, name } of fragment.selection.fields) {
        if (key === name) typesByKey.set(key, String(ownFields[name]?.type));
      }
    }
    return { fields: [typenameField, ...common], fragments };
  }

  function fragmentMembers(abstract: GraphQLInterfaceType | GraphQLUnionType): readonly GraphQLObjectType[] {
    const members = schema.getPossibleTypes(abstract).filter(isObjectType);
    // The first few of hundreds that implement something as general as `Node` would be an arbitrary choice.
    if (isInterfaceType(abstract) && members.length > limits.members) return [];
    return members.slice(0, limits.members);
  }
}

function enter(type: GraphQLCompositeType, position: Position): Position {
  return { ...position, path: new Set(position.path).add(type.name) };
}

/** Runs `choose` on one of `shares` equal parts of what is free. Nothing is spent when it comes back without a result. */
function fromShare<T>(free: Budget, shares: number, choose: (share: Budget) => T | undefined): T | undefined {
  const share: Budget = { bytes: Math.floor(free.bytes / shares), fields: Math.floor(free.fields / shares) };
  const whole = { ...share };
  const chosen = choose(share);
  if (chosen === undefined) return undefined;
  free.bytes -= whole.bytes - share.bytes;
  free.fields -= whole.fields - share.fields;
  return chosen;
}

/** Takes a text and its fields off the budget, or says that they don't fit. */
function spend(free: Budget, text: string, fields = 1): boolean {
  const bytes = text.length + " ".length;
  if (free.bytes < bytes || free.fields < fields) return false;
  free.bytes -= bytes;
  free.fields -= fields;
  return true;
}

function isSelectable(field: GraphQLField): boolean {
  if (field.deprecationReason != null || field.name.startsWith("__")) return false;
  return field.args.every(
    (argument) => !isRequiredArgument(argument) || (argument.name === "first" && takesPageSize(field)),
  );
}

function isLeaf(field: GraphQLField): boolean {
  return isLeafType(getNamedType(field.type));
}

function isEnterable(field: GraphQLField, position: Position): boolean {
  const type = getNamedType(field.type);
  if (!isCompositeType(type) || position.path.has(type.name)) return false;
  return !(position.insideList && isConnection(type));
}

function isConnection(type: GraphQLCompositeType): boolean {
  return isObjectType(type) && connectionItems(type) !== undefined;
}

function takesPageSize(field: GraphQLField): boolean {
  const type = getNamedType(field.type);
  const first = field.args.find((argument) => argument.name === "first");
  return (
    first !== undefined &&
    getNamedType(first.type).name === "Int" &&
    isCompositeType(type) &&
    isConnection(type)
  );
}

type ConnectionItems =
  | { readonly through: "nodes"; readonly field: GraphQLField }
  | { readonly through: "edges"; readonly field: GraphQLField; readonly edgeType: GraphQLObjectType };

/** The field that holds a page's items, if the type is a page (Relay cursor connections, with or without `nodes`). */
function connectionItems(type: GraphQLObjectType): ConnectionItems | undefined {
  const { pageInfo, nodes, edges } = type.getFields();
  if (pageInfo === undefined || !isCompositeType(getNamedType(pageInfo.type))) return undefined;
  if (
    nodes !== undefined &&
    hasList(nodes.type) &&
    isCompositeType(getNamedType(nodes.type)) &&
    isSelectable(nodes)
  ) {
    return { through: "nodes", field: nodes };
  }
  const edgeType = edges && hasList(edges.type) && isSelectable(edges) ? getNamedType(edges.type) : undefined;
  if (!isObjectType(edgeType)) return undefined;
  const node = edgeType.getFields().node;
  if (node === undefined || !isSelectable(node) || !isCompositeType(getNamedType(node.type)))
    return undefined;
  return { through: "edges", field: node, edgeType };
}

function hasList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}

function byIdentification(left: GraphQLField, right: GraphQLField): number {
  return identificationRank(left) - identificationRank(right);
}

function objectsBeforePages(left: GraphQLField, right: GraphQLField): number {
  return Number(takesPageSize(left)) - Number(takesPageSize(right));
}

function identificationRank(field: GraphQLField): number {
  const rank = identifyingNames.indexOf(field.name);
  return rank === -1 ? identifyingNames.length : rank;
}
