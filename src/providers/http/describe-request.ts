import type { HttpBinding, HttpBody } from "../../model/catalog.ts";

/** Where one argument of a tool goes: in an HTTP request, a GraphQL operation (`variable`) or an MCP call (`argument`). */
export interface ArgumentTarget {
  readonly argument: string;
  readonly in:
    | "path"
    | "query"
    | "querystring"
    | "header"
    | "cookie"
    | "body"
    | "variable"
    | "document"
    | "argument";
  /** The name on the wire; `undefined` when the argument is the whole body, or a part of a document. */
  readonly wireName: string | undefined;
  /** Style and explode as in OpenAPI (`form, exploded`), a media type for `content` parameters and bodies. */
  readonly style: string;
  readonly required: boolean;
}

/** The table argument → location, wire name, style, in the order of the binding. For `gateway inspect`. */
export function describeRequest(binding: HttpBinding): readonly ArgumentTarget[] {
  const parameters = binding.parameters.flatMap((parameter): readonly ArgumentTarget[] => {
    const { argument } = parameter;
    if (argument === undefined) return [];
    const style = parameter.explode ? `${parameter.style}, exploded` : parameter.style;
    return [
      {
        argument,
        in: parameter.in,
        wireName: parameter.name,
        style: parameter.content ?? style,
        required: parameter.required && parameter.default === undefined,
      },
    ];
  });
  return [...parameters, ...describeBody(binding.body), ...describeAlternatives(binding.body)];
}

/** The choice among several forms, and the arguments that only others than the first take. */
function describeAlternatives(body: HttpBody | undefined): readonly ArgumentTarget[] {
  if (!body?.alternatives) return [];
  const { argument, bodies } = body.alternatives;
  const known = new Set(describeBody(body).map((target) => target.argument));
  const others = new Map(
    bodies
      .flatMap(describeBody)
      .filter((target) => !known.has(target.argument))
      .map((target) => [target.argument, { ...target, required: false }]),
  );
  const choice = {
    argument,
    in: "header",
    wireName: "Content-Type",
    style: "simple",
    required: false,
  } as const;
  return [...others.values(), choice];
}

function describeBody(body: HttpBody | undefined): readonly ArgumentTarget[] {
  if (!body) return [];
  const target = { in: "body", style: body.mediaType } as const;
  if (body.source.kind === "argument") {
    return [{ ...target, argument: body.source.argument, wireName: undefined, required: body.required }];
  }
  return body.source.members.map((member) => ({
    ...target,
    argument: member.argument,
    wireName: member.name,
    required: member.required && member.default === undefined,
  }));
}
