import type { Tool } from "../../../src/model/catalog.ts";
import { describeTool } from "../../../src/server/mcp/describe-tool.ts";
import { validatorProblems } from "./check-operation.ts";
import { findLosses, type Losses } from "./lossless.ts";
import { nodeOf } from "./raw-document.ts";

/** What the tools of a document are worth to a client. */
export interface ToolSurvey {
  readonly tools: number;
  /** Names that are not `^[a-zA-Z0-9_-]{1,64}$`, or that another tool has too, letter case aside. */
  readonly badNames: readonly string[];
  /** How many tools the validator was tried on. */
  readonly validated: number;
  /** What the validator does not take, with the reason. */
  readonly badSchemas: readonly string[];
  readonly rootCombinators: readonly string[];
  readonly losses: Losses;
  /** Bytes of the largest tool as clients get it, all that it says together. */
  readonly largestTool: number;
  /** Bytes of the whole list of tools as clients get it. */
  readonly listBytes: number;
}

const combinators = ["anyOf", "oneOf", "allOf", "not", "enum", "$ref"];

/**
 * Looks at all tools of a document.
 *
 * @param root the document as it was parsed, from which alone it is decided what its tools must be able to supply.
 * @param mostValidated validating takes nearly all of the time, so that only so many tools are, spread evenly.
 */
export function surveyTools(root: unknown, tools: readonly Tool[], mostValidated = tools.length): ToolSurvey {
  const claims = Map.groupBy(tools, ({ name }) => name.toLowerCase());
  const step = Math.max(1, Math.ceil(tools.length / mostValidated));
  const validated = tools.filter((_tool, index) => index % step === 0);
  const sizes = tools.map((tool) => bytesOf(describeTool(tool, "modern")));
  return {
    tools: tools.length,
    badNames: tools
      .map(({ name }) => name)
      .filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name) || claims.get(name.toLowerCase())?.length !== 1),
    validated: validated.length,
    badSchemas: validated.flatMap((tool) => {
      const problems = validatorProblems({ ...tool, outputSchema: undefined });
      return problems.map((problem) => `${tool.name}: ${problem}`);
    }),
    rootCombinators: tools
      .filter(({ inputSchema }) => combinators.some((keyword) => inputSchema[keyword] !== undefined))
      .map(({ name }) => name),
    losses: findLosses(nodeOf(root), tools),
    largestTool: sizes.reduce((most, size) => Math.max(most, size), 0),
    listBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
