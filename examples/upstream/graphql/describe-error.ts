import type { GraphQLError, GraphQLFormattedError } from "graphql";
import { BookshopError } from "../bookshop.ts";

/** An error as the caller sees it: with a code, and with a stack trace, which a server in development tells everybody. */
export function describeError(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...formatted } = error.toJSON();
  const { http: _, ...own } = extensions ?? {};
  const code =
    error.originalError instanceof BookshopError
      ? error.originalError.reason.toUpperCase()
      : error.path === undefined
        ? "BAD_REQUEST"
        : "INTERNAL_SERVER_ERROR";
  const stacktrace = (error.originalError ?? error).stack?.split("\n");
  return { ...formatted, extensions: { code, ...own, stacktrace } };
}

/** The HTTP status that an error asks for. */
export function statusOf({ extensions }: GraphQLError): number | undefined {
  const { status } = Object(extensions["http"]);
  return typeof status === "number" ? status : undefined;
}
