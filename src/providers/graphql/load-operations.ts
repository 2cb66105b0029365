import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { GraphqlSurface } from "../../model/config.ts";
import type { ProviderContext } from "../provider-kind.ts";
import type { OperationSource } from "./read-operations.ts";

/** Gets the documents of a surface's `operations`. One that can't be read is reported, and the others stay. */
export async function loadOperations(
  { operations }: GraphqlSurface,
  { documents, signal }: Pick<ProviderContext, "documents" | "signal">,
): Promise<{ readonly sources: readonly OperationSource[]; readonly diagnostics: readonly Diagnostic[] }> {
  const sources: OperationSource[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const config of operations) {
    const { source } = config;
    if (source.kind === "text") {
      sources.push({ config, name: source.place.file, text: source.text });
      continue;
    }
    const loaded = await documents.text(source, { signal });
    if (loaded.ok) sources.push({ config, name: loaded.document.name, text: loaded.document.text });
    else diagnostics.push(...loaded.diagnostics);
  }
  return { sources, diagnostics };
}
