import type { AnnotationChoices, ResponseMapping } from "../model/config.ts";
import type { Annotations, Provider } from "../model/config-file.generated.ts";

/** The part of an answer that is the result, as a list of names. */
export function normalizeMapping(mapping: Provider["response_mapping"]): ResponseMapping | undefined {
  return mapping && { data: mapping.data.split(".") };
}

/** What is said of an operation's effects, by the names of MCP; what is not said is absent. */
export function normalizeAnnotations(written: Annotations): AnnotationChoices {
  const { read_only, destructive, idempotent, open_world } = written;
  return {
    ...(read_only !== undefined && { readOnlyHint: read_only }),
    ...(destructive !== undefined && { destructiveHint: destructive }),
    ...(idempotent !== undefined && { idempotentHint: idempotent }),
    ...(open_world !== undefined && { openWorldHint: open_world }),
  };
}
