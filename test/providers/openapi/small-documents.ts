import { expect } from "vitest";
import type { HttpBinding, Operation } from "../../../src/model/catalog.ts";
import type { OpenApiSurface } from "../../../src/model/config.ts";
import { bindRequest } from "../../../src/providers/http/bind-request.ts";
import type { CompiledDocument } from "../../../src/providers/openapi/compile.ts";
import { bindingProblems, schemaProblems, validatorProblems } from "./check-operation.ts";
import { compileValue, surfaceOf } from "./compile-text.ts";
import { type Node, nodeOf } from "./raw-document.ts";

/** A schema of texts. */
export const text = { type: "string" };
/** A schema of whole numbers. */
export const number = { type: "integer" };

/** A schema of objects. */
export function object(properties: Node, required: readonly string[] = []): Node {
  return { type: "object", properties, ...(required.length > 0 && { required }) };
}

/** An operation with parameters. */
export function get(...parameters: readonly Node[]): Node {
  return { parameters, responses: {} };
}

/** An operation with a body. */
export function post(schema: unknown, mediaType = "application/json", required = true): Node {
  return { requestBody: { required, content: { [mediaType]: { schema } } }, responses: {} };
}

/** A document with one path; `methods` by their lower-case names. */
export function at(path: string, methods: Node, rest: Node = {}): Node {
  return { openapi: "3.1.0", paths: { [path]: methods }, ...rest };
}

/** Compiles, and sees to it that whatever came out can be used. */
export async function compile(
  document: Node,
  surface: Partial<OpenApiSurface> = {},
): Promise<CompiledDocument> {
  const compiled = await compileValue(document, { ...surfaceOf("document.json"), ...surface });
  for (const operation of compiled.operations) {
    expect([
      ...schemaProblems(operation),
      ...bindingProblems(operation),
      ...validatorProblems(operation),
    ]).toEqual([]);
  }
  return compiled;
}

/** The only operation of a document. */
export async function only(document: Node, surface: Partial<OpenApiSurface> = {}): Promise<Operation> {
  const [operation, ...others] = (await compile(document, surface)).operations;
  if (!operation || others.length > 0) throw new Error("There has to be one operation.");
  return operation;
}

/** The schemas of an operation's arguments. */
export function propertiesOf({ inputSchema }: Operation): Node {
  return nodeOf(inputSchema["properties"]);
}

/** The schema of the argument `x`: a member of a JSON body. */
export async function convert(schema: unknown, version = "3.1.0", schemas: Node = {}): Promise<Node> {
  const components = { schemas };
  const document = at("/x", { post: post(object({ x: schema })) }, { openapi: version, components });
  return nodeOf(propertiesOf(await only(document))["x"]);
}

/** How an operation is called. */
export function httpOf({ binding }: Operation): HttpBinding {
  if (binding.kind !== "http") throw new Error("There has to be an HTTP binding.");
  return binding;
}

/** The request that arguments make. */
export function send(operation: Operation, values: object): ReturnType<typeof bindRequest> {
  return bindRequest(httpOf(operation), JSON.parse(JSON.stringify(values)));
}
