import type { HttpBinding, HttpBody, HttpParameter } from "../../../src/model/catalog.ts";

/** A parameter called `color`, with the usual style of its place. */
export function parameter(changes: Partial<HttpParameter> & Pick<HttpParameter, "in">): HttpParameter {
  const isForm = changes.in === "query" || changes.in === "querystring" || changes.in === "cookie";
  const name = changes.name ?? "color";
  return {
    argument: name,
    name,
    style: isForm ? "form" : "simple",
    explode: isForm,
    allowReserved: false,
    required: changes.in === "path",
    content: undefined,
    default: undefined,
    ...changes,
  };
}

/** A binding of `https://api.example.com/v1`. */
export function binding(path: string, parameters: readonly HttpParameter[], body?: HttpBody): HttpBinding {
  return {
    kind: "http",
    method: body ? "POST" : "GET",
    baseUrl: "https://api.example.com/v1",
    addressFrom: "operator",
    path,
    parameters,
    body,
    accept: "application/json",
  };
}

/** A body whose members are the arguments of the same names. */
export function memberBody(names: readonly string[], changes: Partial<HttpBody> = {}): HttpBody {
  const members = names.map((name) => ({ argument: name, name, required: false, default: undefined }));
  return {
    mediaType: "application/json",
    format: "json",
    encoding: {},
    required: true,
    source: { kind: "members", members },
    ...changes,
  };
}

/** A body that is the argument `body` as a whole. */
export function wholeBody(changes: Partial<HttpBody> = {}): HttpBody {
  return { ...memberBody([]), source: { kind: "argument", argument: "body" }, ...changes };
}
