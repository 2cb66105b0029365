import { describe, expect, test } from "vitest";
import { exposeSurface } from "../../../src/catalog/expose.ts";
import { parseDocument } from "../../../src/documents/parse-document.ts";
import { makeProvider } from "../../catalog/fixtures.ts";
import { compileText, compileValue, surfaceOf } from "./compile-text.ts";
import { corpusFiles, corpusNote, hasCorpus, readCorpusFile } from "./corpus.ts";
import { findLosses, type Losses } from "./lossless.ts";
import { nodeOf } from "./raw-document.ts";
import { surveyTools } from "./survey-tools.ts";

/** The validator takes nearly all of the time; `npm run report:openapi -- --all` tries it on every tool. */
const mostValidated = 10;

describe.skipIf(!hasCorpus)(`tools of real API descriptions${corpusNote}`, () => {
  const found: { readonly name: string; readonly losses: Losses }[] = [];

  test.each(corpusFiles("openapi/real"))("%s: every tool can be listed for a strict client", async (name) => {
    const text = readCorpusFile(name);
    const surface = surfaceOf(name);
    const operations = (await compileText(name, text, surface))?.operations ?? [];
    const provider = makeProvider("acme", { surfaces: [surface] });
    const tools = exposeSurface(provider, { surface, operations, origin: "declared" });
    const parsed = parseDocument(text);
    const survey = surveyTools(parsed.ok ? parsed.value : {}, tools, mostValidated);
    found.push({ name, losses: survey.losses });
    expect(survey).toMatchObject({ badNames: [], badSchemas: [], rootCombinators: [] });
    expect(survey.tools).toBe(survey.losses.operations);
    expect(survey.largestTool).toBeLessThanOrEqual(32_000);
  });

  test("of all operations together, at least 99.9 % are lossless", () => {
    const lost = found.flatMap(({ name, losses }) => losses.lost.map((loss) => `${name}: ${loss}`));
    const operations = found.reduce((sum, { losses }) => sum + losses.operations, 0);
    const lossless = found.reduce((sum, { losses }) => sum + losses.lossless, 0);
    expect(lossless / operations, `Can't be supplied:\n${lost.join("\n")}`).toBeGreaterThanOrEqual(0.999);
  });
});

/** One operation with three parameters and three fields, and the ways in which its tool may lose some of them. */
describe("the checker", () => {
  const document = {
    openapi: "3.1.0",
    components: {
      parameters: { Limit: { name: "limit", in: "query", schema: { type: "integer" } } },
      schemas: { Base: { type: "object", properties: { id: { readOnly: true }, a: { type: "string" } } } },
    },
    paths: {
      "/x/{key}/{undeclared}": {
        parameters: [
          { name: "key", in: "path", required: true, schema: { type: "string" } },
          { $ref: "#/components/parameters/Limit" },
          { name: "Accept", in: "header", schema: { type: "string" } },
        ],
        post: {
          operationId: "x",
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: {
                  allOf: [
                    { $ref: "#/components/schemas/Base" },
                    { type: "object", properties: { b: { type: "string" } } },
                  ],
                },
              },
            },
          },
          responses: {},
        },
      },
    },
  };

  test("finds everything that a request can carry, and what is left out on purpose", async () => {
    const { operations } = await compileValue(document);
    expect(findLosses(nodeOf(document), operations)).toEqual({
      operations: 1,
      lossless: 1,
      supplied: 5,
      excluded: {
        "reserved header": 1,
        credential: 0,
        "read-only": 1,
        "not in the path": 0,
        "empty body": 0,
      },
      lost: [],
    });
  });

  test("names what a tool can't be given", async () => {
    const { operations } = await compileValue(document);
    const poorer = operations.map((operation) => {
      const { b, limit, ...properties } = nodeOf(operation.inputSchema["properties"]);
      return { ...operation, inputSchema: JSON.parse(JSON.stringify({ type: "object", properties })) };
    });
    const request = "POST /x/{key}/{undeclared}";
    expect(findLosses(nodeOf(document), poorer)).toMatchObject({
      lossless: 0,
      supplied: 3,
      lost: [`${request}: query limit`, `${request}: body b`],
    });
    expect(findLosses(nodeOf(document), []).lost).toEqual([`${request}: no tool`]);
  });
});
