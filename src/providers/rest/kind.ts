import type { RestSurface } from "../../model/config.ts";
import { createHttpExecutor } from "../http/execute.ts";
import type { ProviderKind } from "../provider-kind.ts";
import { compileRest } from "./compile.ts";

/** Surfaces whose operations are written in the configuration file. */
export const restKind: ProviderKind<RestSurface> = {
  kind: "rest",
  compilesOffline: () => true,
  async open(surface, provider, context) {
    return {
      ...compileRest(surface, provider),
      executor: createHttpExecutor(provider, context.http, { budget: context.retryBudget }),
      origin: "declared",
      close: async () => {},
    };
  },
};
