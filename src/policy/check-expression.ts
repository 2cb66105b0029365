import { didYouMean } from "../did-you-mean.ts";
import type { CelExpression, CelLanguage } from "./cel.ts";

/** Types as far as they are known before an expression is evaluated; `any` for all others. */
export type StaticType = "bool" | "number" | "text" | "list" | "map" | "other" | "any";

/** The variables that expressions may read, with their members; `undefined`: whichever. */
export type Variables = Readonly<Record<string, Readonly<Record<string, StaticType>> | undefined>>;

/** What an expression was found to read and to do. */
export interface ExpressionFacts {
  /** The members that it reads, by variable. */
  readonly reads: ReadonlyMap<string, ReadonlySet<string>>;
  /** The regular expressions in it. */
  readonly patterns: ReadonlySet<string>;
  /** True where a function takes more than in proportion to its texts: a search for a text of the caller's, a long number. */
  readonly slowTexts: boolean;
  /** Parts of what is done again for each item of a list; 0: there is no such thing. */
  readonly loopParts: number;
  /** True where one step of a loop may take as long as its list: it reads a variable again, or builds a list. */
  readonly squareLoops: boolean;
  readonly result: StaticType;
}

/** Something in an expression that can't be meant, as a sentence, and where. */
export class ExpressionProblem extends Error {
  override readonly name = "ExpressionProblem";
  readonly part: CelExpression;

  constructor(part: CelExpression, message: string) {
    super(message);
    this.part = part;
  }
}

/** Deeper expressions are no one's. */
const deepest = 200;

/** Type names of the language, which `type(x) == string` compares with. */
const typeNames = new Set([
  "int",
  "uint",
  "double",
  "bool",
  "string",
  "bytes",
  "list",
  "map",
  "null_type",
  "type",
]);

/**
 * Follows an expression once: refuses names that do not exist, functions that can't be called so, and loops inside of loops, and
 * collects what evaluation has to know. Throws {@link ExpressionProblem}.
 */
export function checkExpression(
  root: CelExpression,
  variables: Variables,
  language: CelLanguage,
): ExpressionFacts {
  const reads = new Map<string, Set<string>>(Object.keys(variables).map((name) => [name, new Set()]));
  const patterns = new Set<string>();
  let used = new Set<string>();
  let parts = 0;
  let loopParts = 0;
  let squareLoops = false;
  let slowTexts = false;

  const visit = (part: CelExpression | undefined, scope: Scope): StaticType => {
    if (part === undefined) return "any";
    parts += 1;
    if (scope.depth > deepest)
      throw new ExpressionProblem(
        part,
        "The expression is nested too deeply. Split the policy into several.",
      );
    const inner = { ...scope, depth: scope.depth + 1 };
    const { exprKind } = part;
    switch (exprKind.case) {
      case "constExpr":
        return typeOfConstant(exprKind.value.constantKind.case);
      case "identExpr":
        return visitName(part, exprKind.value.name, scope);
      case "selectExpr": {
        const { operand, field, testOnly } = exprKind.value;
        const member = operand === undefined ? undefined : readMember(operand, field, part, scope);
        if (member !== undefined) return testOnly ? "bool" : member;
        const type = visit(operand, inner);
        if (type !== "any" && type !== "map")
          throw new ExpressionProblem(
            part,
            `\`.${field}\` is read of a ${nameOf(type)}, which has no members.`,
          );
        return testOnly ? "bool" : "any";
      }
      case "listExpr":
        for (const element of exprKind.value.elements) visit(element, inner);
        return "list";
      case "structExpr":
        if (exprKind.value.messageName !== "")
          throw new ExpressionProblem(
            part,
            `\`${exprKind.value.messageName}{…}\` makes a message, which policies can't.`,
          );
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === "mapKey") visit(keyKind.value, inner);
          visit(value, inner);
        }
        return "map";
      case "callExpr":
        return visitCall(part, exprKind.value, inner);
      case "comprehensionExpr":
        return visitLoop(part, exprKind.value, inner);
      default:
        throw new ExpressionProblem(part, "The expression has a part that policies can't have.");
    }
  };

  const visitName = (part: CelExpression, name: string, scope: Scope): StaticType => {
    if (scope.names.has(name)) return "any";
    if (typeNames.has(name)) return "other";
    if (!Object.hasOwn(variables, name)) {
      const hint = didYouMean(
        name,
        [...Object.keys(variables), ...scope.names].filter((word) => !word.startsWith("@")),
      );
      throw new ExpressionProblem(
        part,
        `There is no variable \`${name}\`.${hint === undefined ? ` There are ${sentence(Object.keys(variables))}; texts stand in quotes.` : ` Did you mean \`${hint}\`?`}`,
      );
    }
    const members = variables[name];
    if (members !== undefined)
      throw new ExpressionProblem(
        part,
        `\`${name}\` needs one of its members behind it: ${sentence(Object.keys(members).map((member) => `${name}.${member}`))}.`,
      );
    used.add(name);
    reads.get(name)?.add("");
    return "map";
  };

  const readMember = (
    operand: CelExpression,
    field: string,
    part: CelExpression,
    scope: Scope,
  ): StaticType | undefined => {
    if (operand.exprKind.case !== "identExpr") return undefined;
    const { name } = operand.exprKind.value;
    const members = scope.names.has(name) || !Object.hasOwn(variables, name) ? undefined : variables[name];
    if (members === undefined) return undefined;
    const type = Object.hasOwn(members, field) ? members[field] : undefined;
    if (type === undefined) {
      const hint = didYouMean(field, Object.keys(members));
      throw new ExpressionProblem(
        part,
        `\`${name}\` has no member \`${field}\`.${hint === undefined ? ` It has ${sentence(Object.keys(members))}.` : ` Did you mean \`${name}.${hint}\`?`}`,
      );
    }
    parts += 1;
    reads.get(name)?.add(field);
    return type;
  };

  const visitCall = (part: CelExpression, call: Call, scope: Scope): StaticType => {
    const { target, args } = call;
    const operator = operators[call.function];
    if (operator === undefined && call.function !== "@in" && /^[a-z]/i.test(call.function))
      checkFunction(part, call, language);
    if (call.function === "matches") patterns.add(patternOf(part, args.at(-1)));
    if (slowOnTexts.has(call.function) && args.at(-1)?.exprKind.case !== "constExpr") slowTexts = true;
    const types = [...(target === undefined ? [] : [target]), ...args].map((argument) =>
      visit(argument, scope),
    );
    if (operator === "branches") return types[1] === types[2] ? (types[1] ?? "any") : "any";
    if (operator !== undefined) return operator;
    const results = new Set(
      language
        .signatures(call.function)
        .filter((signature) => fits(signature, call))
        .map(({ result }) => result),
    );
    const [only] = results;
    return results.size === 1 && only !== undefined ? typeOfName(only) : "any";
  };

  const visitLoop = (part: CelExpression, loop: Comprehension, scope: Scope): StaticType => {
    if (scope.inLoop)
      throw new ExpressionProblem(
        part,
        "A loop inside of a loop (`exists`, `all`, `map`, `filter`) could take as long as a caller likes. Use two policies, or `in`.",
      );
    if (Object.hasOwn(variables, loop.iterVar) || typeNames.has(loop.iterVar))
      throw new ExpressionProblem(
        part,
        `\`${loop.iterVar}\` has a meaning already; give the loop's variable another name.`,
      );
    visit(loop.iterRange, scope);
    const before = { parts, used };
    parts = 0;
    used = new Set();
    const inside = { ...scope, inLoop: true, names: new Set([loop.iterVar, loop.accuVar]) };
    const start = visit(loop.accuInit, inside);
    visit(loop.loopCondition, inside);
    visit(loop.loopStep, inside);
    const result = visit(loop.result, inside);
    loopParts += parts;
    squareLoops ||= used.size > 0 || start === "list";
    parts += before.parts;
    used = new Set([...before.used, ...used]);
    return result === "any" ? start : result;
  };

  const result = visit(root, { depth: 0, inLoop: false, names: new Set() });
  return { reads, patterns, slowTexts, loopParts, squareLoops, result };
}

interface Scope {
  readonly depth: number;
  readonly inLoop: boolean;
  /** Variables of the loop around. */
  readonly names: ReadonlySet<string>;
}

type Kind<Case extends CelExpression["exprKind"]["case"]> = Extract<
  CelExpression["exprKind"],
  { case: Case }
>;
type Call = Kind<"callExpr"> extends { value: infer Value } ? Value : never;
type Comprehension = Kind<"comprehensionExpr"> extends { value: infer Value } ? Value : never;

/** What operators give whose result does not depend on their operands; `branches`: one of the last two. */
const operators: Readonly<Record<string, StaticType | "branches">> = {
  "_&&_": "bool",
  "_||_": "bool",
  "!_": "bool",
  "@not_strictly_false": "bool",
  "_==_": "bool",
  "_!=_": "bool",
  "_<_": "bool",
  "_<=_": "bool",
  "_>_": "bool",
  "_>=_": "bool",
  "@in": "bool",
  // None of these gives a truth value, whatever the operands.
  "_+_": "other",
  "_-_": "number",
  "_*_": "number",
  "_/_": "number",
  "_%_": "number",
  "-_": "number",
  "_[_]": "any",
  "_?_:_": "branches",
};

/** V8 looks for a text in one like it, and reads an integer, in more than linear time. */
const slowOnTexts: ReadonlySet<string> = new Set(["contains", "int", "uint"]);

function checkFunction(part: CelExpression, call: Call, language: CelLanguage): void {
  const signatures = language.signatures(call.function);
  if (signatures.some((signature) => fits(signature, call))) return;
  const { function: name } = call;
  if (name === "has") throw new ExpressionProblem(part, "`has(…)` asks for a member: `has(arguments.name)`.");
  if (macros.has(name))
    throw new ExpressionProblem(
      part,
      `\`${name}\` is written \`list.${name}(item, …)\`, with a name for the item first.`,
    );
  if (signatures.length > 0)
    throw new ExpressionProblem(
      part,
      `\`${name}\` can't be called like this; ${describeForms(name, signatures)}.`,
    );
  const hint = didYouMean(name, [...language.functionNames(), ...macros, "has"]);
  throw new ExpressionProblem(
    part,
    `There is no function \`${name}\`.${hint === undefined ? "" : ` Did you mean \`${hint}\`?`}`,
  );
}

const macros: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);

interface Signature {
  readonly isMethod: boolean;
  readonly arguments: number;
}

function fits(signature: Signature, { target, args }: Call): boolean {
  return signature.isMethod === (target !== undefined) && signature.arguments === args.length;
}

function describeForms(name: string, signatures: readonly Signature[]): string {
  const forms = signatures.map(({ isMethod, arguments: count }) => {
    const list = Array.from({ length: count }, (_unused, index) => "abc"[index] ?? "…").join(", ");
    return isMethod ? `\`x.${name}(${list})\`` : `\`${name}(${list})\``;
  });
  return `it is written ${[...new Set(forms)].join(" or ")}`;
}

/** Patterns of callers would be compiled at each call, at their price. */
function patternOf(part: CelExpression, argument: CelExpression | undefined): string {
  if (argument?.exprKind.case === "constExpr") {
    const { constantKind } = argument.exprKind.value;
    if (constantKind.case === "stringValue") return constantKind.value;
  }
  throw new ExpressionProblem(part, "The pattern of `matches` has to be a text in quotes.");
}

function typeOfConstant(kind: string | undefined): StaticType {
  if (kind === "boolValue") return "bool";
  if (kind === "stringValue") return "text";
  if (kind === "int64Value" || kind === "uint64Value" || kind === "doubleValue") return "number";
  return "other";
}

function typeOfName(name: string): StaticType {
  if (name === "bool" || name === "list" || name === "map") return name;
  if (name === "string") return "text";
  if (name === "int" || name === "uint" || name === "double") return "number";
  return name === "dyn" ? "any" : "other";
}

/** A type as people call it. */
export function nameOf(type: StaticType): string {
  return type === "bool"
    ? "truth value"
    : type === "other" || type === "any"
      ? "value of another type"
      : type;
}

function sentence(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
}
