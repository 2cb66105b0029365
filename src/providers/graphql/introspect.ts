import { setImmediate } from "node:timers/promises";
import { getIntrospectionQuery, type IntrospectionOptions } from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { describeBytes } from "../../documents/document-limits.ts";
import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import type { GraphqlSurface, ProviderConfig } from "../../model/config.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { HttpResponse } from "../../upstream/http-client.ts";
import { nameOfUrl } from "../../upstream/name-of-url.ts";
import { currentOf } from "../credential-source.ts";
import type { ProviderContext } from "../provider-kind.ts";
import { stripHidden } from "../strip-hidden.ts";
import { buildRequest } from "./bind-request.ts";
import { asAnswer } from "./parse-answer.ts";
import { type ReadSchema, readIntrospection, reasonOf } from "./read-schema.ts";

/** For the whole answer: ms for all of it, and the least bytes in a second. Nobody's call waits for it. */
const patience = { totalTimeout: 120_000, leastRate: 1024 };

/** Longest quotation of what an endpoint said, in characters. */
const longestQuotation = 200;

const advice = "Set `schema:` to an SDL file or to the JSON of an introspection result.";

/** All that this gateway can use, then the parts that every server knows. */
const introspectionLevels: readonly IntrospectionOptions[] = [
  { specifiedByUrl: true, inputValueDeprecation: true, oneOf: true },
  {},
];

/**
 * Asks the endpoint for its schema, with the gateway's own credential for the connection that reads the schema.
 *
 * Throws `provider_unavailable` when the endpoint can't be reached or is out of order. What the operator can mend (a
 * wrong URL, a missing credential, introspection that is switched off) comes back as a diagnostic.
 */
export async function introspect(
  surface: GraphqlSurface,
  provider: ProviderConfig,
  context: ProviderContext,
): Promise<ReadSchema> {
  let complaint = "";
  let broken: string | undefined;
  for (const options of introspectionLevels) {
    const response = await ask(surface, provider, context, options);
    if (response === undefined) {
      const limit = describeBytes(surface.documentLimits.bytes);
      return failed(
        surface,
        "document-too-large",
        `The schema of \`${nameOfUrl(surface.url)}\` takes more than ${limit}. ${advice}`,
      );
    }
    const refused = response.status === 401 || response.status === 403;
    // Servers refuse introspection with 200 as well as with 400, so the status says nothing more.
    const answer = refused ? undefined : await parseIntrospection(response.body);
    if (answer === undefined) return failed(surface, ...describeForeignAnswer(surface, response));
    // Parsing and building take long for large schemas, each for itself.
    await setImmediate();
    try {
      const schema = await readIntrospection(answer);
      if (schema !== undefined) return { ok: true, schema };
      broken = undefined;
    } catch (error) {
      broken = quote(reasonOf(error));
      continue;
    }
    const said = firstError(answer);
    complaint = said === "" ? "" : ` It said: ${quote(said)}.`;
  }
  if (broken !== undefined) {
    const message = `No schema can be made of what \`${nameOfUrl(surface.url)}\` answered the introspection query: ${broken}. ${advice}`;
    return failed(surface, "document-unsupported", message);
  }
  const message = `\`${nameOfUrl(surface.url)}\` does not tell its schema: introspection is disabled, or needs a credential that the gateway does not have.${complaint} ${advice}`;
  return failed(surface, "document-unreadable", message);
}

/** Sends one introspection query; `undefined` for an answer beyond the limit. */
async function ask(
  surface: GraphqlSurface,
  provider: ProviderConfig,
  context: ProviderContext,
  options: IntrospectionOptions,
): Promise<HttpResponse | undefined> {
  const parameters = {
    query: getIntrospectionQuery(options),
    operationName: "IntrospectionQuery",
    variables: {},
  };
  const credential = await currentOf(context.credential(surface.schemaConnection), context.signal);
  const request = buildRequest({ url: surface.url, files: undefined }, parameters, provider, credential);
  try {
    const response = await context.http.request({
      ...request,
      signal: context.signal,
      maxBytes: surface.documentLimits.bytes,
      ...patience,
    });
    if (response.status < 500 && response.status !== 429) return response;
    const message = `\`${nameOfUrl(surface.url)}\` answered the introspection query with status ${response.status}.`;
    throw new GatewayError("provider_unavailable", message, { retryable: true });
  } catch (error) {
    if (
      !(error instanceof GatewayError) ||
      error.code === "cancelled" ||
      error.code === "provider_unavailable"
    )
      throw error;
    if (error.code === "answer_too_large") return undefined;
    throw new GatewayError("provider_unavailable", error.message, { cause: error, retryable: true });
  }
}

/** The same as for any answer, but without what keeps the digits of numbers, which an introspection result has none of. */
async function parseIntrospection(body: Uint8Array): Promise<JsonObject | undefined> {
  const text = new TextDecoder().decode(body);
  await setImmediate();
  try {
    return asAnswer(JSON.parse(text) as JsonValue);
  } catch {
    return undefined;
  }
}

function describeForeignAnswer(
  surface: GraphqlSurface,
  response: HttpResponse,
): [Diagnostic["code"], string] {
  const { status, headers } = response;
  if (status === 401 || status === 403) {
    const message = `\`${nameOfUrl(surface.url)}\` refused the introspection query with status ${status}. Give the surface a connection with \`mode: identity\` whose credential may read the schema, or do without introspection. ${advice}`;
    return ["document-unreadable", message];
  }
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    const message = `\`${nameOfUrl(surface.url)}\` redirects to ${quote(headers.location)}. Redirects are not followed: set \`url:\` to the address of the endpoint itself.`;
    return ["document-unreadable", message];
  }
  const type = headers["content-type"]?.split(";", 1)[0];
  const what = type === "text/html" ? "an HTML page" : type ? `\`${type}\`` : "content without a type";
  const message = `\`${nameOfUrl(surface.url)}\` is not a GraphQL endpoint: it answered a GraphQL query with status ${status} and ${what}. Check \`url:\`; endpoints often end in \`/graphql\`.`;
  return ["document-unsupported", message];
}

function firstError(answer: JsonObject): string {
  const [first] = Array.isArray(answer.errors) ? (answer.errors as readonly JsonValue[]) : [];
  return isJsonObject(first) && typeof first.message === "string" ? first.message : "";
}

/** Words of the endpoint, cut, on one line, without what people don't see. */
function quote(words: string): string {
  const line = stripHidden(words.slice(0, 2 * longestQuotation))
    .replace(/\s+/g, " ")
    .trim();
  return `"${line.length > longestQuotation ? `${line.slice(0, longestQuotation).toWellFormed()}…` : line}"`;
}

function failed(surface: GraphqlSurface, code: Diagnostic["code"], message: string): ReadSchema {
  return { ok: false, diagnostics: [{ severity: "error", code, message, place: surface.place }] };
}
