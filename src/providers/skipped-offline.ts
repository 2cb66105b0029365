import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ProviderConfig } from "../model/config.ts";
import { compilesOffline } from "./registry.ts";

/** The surfaces that need the network, as what a check without it leaves out. */
export function skippedOffline(providers: readonly ProviderConfig[]): readonly Diagnostic[] {
  return providers.flatMap((provider) =>
    provider.surfaces
      .filter((surface) => !compilesOffline(surface))
      .map(
        (surface): Diagnostic => ({
          severity: "information",
          code: "skipped-offline",
          message: `The ${surface.kind} surface of provider \`${provider.name}\` can't be compiled offline; \`gateway validate --online\` does.`,
          place: surface.place,
        }),
      ),
  );
}
