import type { JsonValue } from "../model/json.ts";
import type { DocumentLimits } from "../model/limits.ts";
import type { ParseProblem } from "./parse-problem.ts";

/**
 * Walks a parsed value as everything after this will walk it: what aliases share counts each time it is met. So a
 * document that is small as text and endless as a value is found here, and nowhere later.
 */
export function checkLimits(value: JsonValue, limits: DocumentLimits): ParseProblem | undefined {
  return new LimitWalk(limits).visit(value);
}

class LimitWalk {
  readonly #mostNodes: number;
  readonly #mostDepth: number;
  #nodes = 0;
  readonly #ancestors: object[] = [];
  readonly #path: (string | number)[] = [];

  constructor({ nodes, depth }: DocumentLimits) {
    this.#mostNodes = nodes;
    this.#mostDepth = depth;
  }

  visit(value: JsonValue): ParseProblem | undefined {
    this.#nodes += 1;
    if (this.#nodes > this.#mostNodes) {
      return {
        code: "document-too-large",
        message: `has more than ${this.#mostNodes.toLocaleString("en")} values, those behind YAML aliases counted each time.`,
      };
    }
    if (typeof value !== "object" || value === null) return undefined;
    if (this.#ancestors.length === this.#mostDepth) return this.#describeDepth();
    this.#ancestors.push(value);
    const problem = isList(value) ? this.#visitItems(value) : this.#visitMembers(value);
    this.#ancestors.pop();
    return problem;
  }

  #visitItems(list: readonly JsonValue[]): ParseProblem | undefined {
    for (let index = 0; index < list.length; index += 1) {
      this.#path.push(index);
      const problem = this.visit(list[index] ?? null);
      this.#path.pop();
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #visitMembers(object: { readonly [key: string]: JsonValue }): ParseProblem | undefined {
    for (const key of Object.keys(object)) {
      const member = object[key];
      if (member === undefined) continue;
      this.#path.push(key);
      const problem = this.visit(member);
      this.#path.pop();
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #describeDepth(): ParseProblem {
    const repeated = this.#ancestors.findIndex(
      (ancestor, index) => this.#ancestors.indexOf(ancestor) !== index,
    );
    if (repeated === -1) {
      return {
        code: "document-too-large",
        message: `is nested more than ${this.#mostDepth} levels deep.`,
        path: [...this.#path],
      };
    }
    const path = this.#path.slice(0, repeated);
    return {
      code: "document-syntax",
      message: `contains itself: the YAML alias at \`${path.join(".")}\` stands inside the value that it names.`,
      path,
    };
  }
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
