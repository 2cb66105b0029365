import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { OpenApiSurface } from "../../model/config.ts";
import type { OwnParameters } from "../http/parameter-source.ts";
import type { ApiOperation, ApiSecurityScheme } from "./model.ts";

/** Compares what operations ask for with what their connection sends. */
export interface CredentialCheck {
  /** Takes note of an operation that uses the surface's connection. */
  note(operation: ApiOperation): void;
  /** One for the whole surface, as the connection is one; `undefined`: whatever is asked for is sent. */
  diagnostic(): Diagnostic | undefined;
}

/**
 * Makes the check of a surface.
 *
 * Requirements decide nothing at run time: the operator's connection is the one credential of a surface, and it is sent whenever an
 * operation uses it. So among a document's alternatives none has to be picked; all there is to know is whether the connection,
 * with the provider's own headers and parameters, serves one of them. Documents are often wrong about security, so that it is no error.
 */
export function createCredentialCheck(
  schemes: ReadonlyMap<string, ApiSecurityScheme>,
  { connection, sends, place }: Pick<OpenApiSurface, "connection" | "sends" | "place">,
  provider: OwnParameters,
): CredentialCheck {
  const sent = new Set([
    ...(sends ?? []),
    ...Object.keys(provider.headers).map((name) => `header:${name.toLowerCase()}`),
    ...provider.managedParameters.map(({ in: location, name }) => `${location}:${name}`.toLowerCase()),
  ]);
  const ownAuthorization = Object.keys(provider.headers).some(
    (name) => name.toLowerCase() === "authorization",
  );
  const isServed = (name: string): boolean => {
    const scheme = schemes.get(name);
    // A scheme that the document forgets to describe can't be compared.
    if (scheme === undefined) return true;
    const { wants } = scheme;
    if (wants === undefined) return false;
    return sent.has(wants) || (ownAuthorization && (wants === "bearer" || wants === "basic"));
  };
  const unserved: ApiOperation[] = [];
  let asking = 0;
  return {
    note(operation) {
      if (operation.security.length === 0) return;
      asking += 1;
      if (!operation.security.some((names) => names.every(isServed))) unserved.push(operation);
    },
    diagnostic() {
      const [first] = unserved;
      // A connection that sends nothing says so on purpose.
      if (first === undefined || connection === undefined || !sends || sends.length === 0) return undefined;
      const alternatives = first.security.map((names) =>
        names
          .map((name) => `${schemes.get(name)?.phrase ?? "something else"} (scheme \`${name}\`)`)
          .join(" and "),
      );
      const which =
        unserved.length === 1
          ? `The operation \`${first.method} ${first.path}\` asks`
          : `${unserved.length} operations (such as \`${first.method} ${first.path}\`) ask`;
      return {
        severity: unserved.length === asking ? "warning" : "information",
        code: "credential-mismatch",
        message: `${which} for ${alternatives.slice(0, 4).join(", or ")}, but connection \`${connection}\` sends ${describeSent(sends)}. The upstream may refuse these calls; change the connection if it does.`,
        place,
      };
    },
  };
}

function describeSent(sends: readonly string[]): string {
  const phrases = sends.flatMap((entry) => {
    if (entry === "bearer") return ["a bearer token"];
    if (entry === "basic") return ["HTTP basic authentication"];
    if (entry === "header:authorization") return [];
    const [location, name] = entry.split(/:(.*)/s, 2);
    return [`${location} \`${name}\``];
  });
  return phrases.length === 0 ? "header `authorization`" : phrases.join(" and ");
}
