import type { IncomingMessage } from "node:http";
import { readBytes } from "../serve.ts";
import { parseJson } from "./exact-json.ts";

/** The parameters of a request (GraphQL over HTTP), as they came. */
export interface GraphqlCall {
  readonly query: string | undefined;
  readonly documentId: string | undefined;
  /** SHA-256 of an automatically persisted query. */
  readonly hash: string | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
}

/** Reads a JSON body, or a form by the GraphQL multipart request specification; `undefined` for anything else. */
export async function readCall(request: IncomingMessage): Promise<GraphqlCall | undefined> {
  const type = request.headers["content-type"] ?? "";
  const body = await readBytes(request);
  try {
    if (!type.startsWith("multipart/form-data")) return toCall(parseJson(body.toString()));
    // A page of any site can send a form, but no header of its own.
    if (request.headers["apollo-require-preflight"] === undefined) return undefined;
    return await readForm(await new Response(body, { headers: { "content-type": type } }).formData());
  } catch {
    return undefined;
  }
}

async function readForm(form: FormData): Promise<GraphqlCall | undefined> {
  const operations = parseJson(String(form.get("operations")));
  const places = Object(JSON.parse(String(form.get("map"))));
  for (const [name, paths] of Object.entries<readonly string[]>(places)) {
    for (const path of paths) setAt(operations, path.split("."), form.get(name));
  }
  return toCall(operations);
}

/** Puts a file in the place of the null that stands for it. */
function setAt(container: unknown, [key = "", ...rest]: readonly string[], file: unknown): void {
  const parent = Object(container);
  if (!Object.hasOwn(parent, key)) throw new Error(`There is no ${key} for a file.`);
  if (rest.length > 0) setAt(parent[key], rest, file);
  else parent[key] = file;
}

function toCall(value: unknown): GraphqlCall {
  const { query, documentId, operationName, variables, extensions } = Object(value);
  const hash = Object(Object(extensions).persistedQuery).sha256Hash;
  const text = (given: unknown): string | undefined => (typeof given === "string" ? given : undefined);
  return {
    query: text(query),
    documentId: text(documentId),
    hash: text(hash),
    operationName: text(operationName),
    variables: variables ?? undefined,
  };
}
