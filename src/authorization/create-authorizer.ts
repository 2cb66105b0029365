import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { type CatalogIndex, type CatalogView, selectView } from "../catalog/view.ts";
import { GatewayError } from "../errors.ts";
import type { AuthorizationConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import type { Authorizer } from "./authorizer.ts";
import { type BoundedCache, createBoundedCache } from "./bounded-cache.ts";
import { buildView } from "./build-view.ts";
import { type Caller, createCaller } from "./caller.ts";
import { checkCall } from "./check-call.ts";
import type { Candidate } from "./checks.ts";
import { explain } from "./explain.ts";
import { compileRules, type Rules } from "./rules.ts";

/** What the authorizer is plugged into. */
export interface AuthorizerParts {
  readonly snapshot: CatalogSnapshot;
  /** Those that hold now: the same object as long as nothing has changed. */
  readonly settings: () => AuthorizationConfig;
  /** For what only the operator can mend. */
  readonly log?: (message: string, cause?: unknown) => void;
}

/** Distinct views of one surface that are kept at a time. One of 10,000 tools takes some 80 kB once it was listed. */
const mostKept = 500;

/** Makes the one authorization decision. */
export function createAuthorizer({ snapshot, settings, log = () => {} }: AuthorizerParts): Authorizer {
  let lastRules: RulesState | undefined;
  let lastViews: ViewState | undefined;

  const rulesNow = (): RulesState => {
    const now = settings();
    if (lastRules?.settings !== now)
      lastRules = { settings: now, rules: compileRules(now, log), callers: new WeakMap() };
    return lastRules;
  };

  const callerOf = (principal: Principal, { rules, callers }: RulesState): Caller => {
    const caller = callers.get(principal) ?? createCaller(principal, rules);
    callers.set(principal, caller);
    return caller;
  };

  const viewsNow = (state: RulesState): ViewState => {
    const { index } = snapshot;
    if (lastViews?.index !== index || lastViews.rules !== state.rules) {
      const contents = {
        mcp: createBoundedCache<CatalogView>(mostKept),
        api: createBoundedCache<CatalogView>(mostKept),
      };
      lastViews = {
        index,
        rules: state.rules,
        byCaller: createBoundedCache(4 * mostKept),
        contents,
        known: new WeakMap(),
      };
    }
    return lastViews;
  };

  return {
    view: (principal, surface) => {
      try {
        const state = rulesNow();
        const views = viewsNow(state);
        const caller = callerOf(principal, state);
        const known = views.known.get(caller) ?? {};
        views.known.set(caller, known);
        known[surface] ??= views.byCaller.get(`${surface} ${caller.key}`, () =>
          buildView(caller, surface, snapshot, state.rules, views.contents[surface]),
        );
        return known[surface];
      } catch (error) {
        log("What a caller may use could not be decided, so it is nothing.", error);
        return nothing(snapshot.index);
      }
    },
    checkArguments: (principal, tool, callArguments) => {
      try {
        const state = rulesNow();
        checkCall(callerOf(principal, state), tool, callArguments, state.rules);
      } catch (error) {
        if (error instanceof GatewayError) throw error;
        throw new GatewayError(
          "arguments_denied",
          "Whether these arguments are allowed could not be decided.",
          {
            cause: error,
          },
        );
      }
    },
    explain: (principal, surface, name) => {
      const state = rulesNow();
      return explain(callerOf(principal, state), findCandidate(snapshot, surface, name), name, state.rules);
    },
  };
}

/** What follows from the settings, until these are replaced. */
interface RulesState {
  readonly settings: AuthorizationConfig;
  readonly rules: Rules;
  readonly callers: WeakMap<Principal, Caller>;
}

/** What follows from settings and catalog, until either is replaced. */
interface ViewState {
  readonly index: CatalogIndex;
  readonly rules: Rules;
  /** By surface and all that a decision reads of a caller. */
  readonly byCaller: BoundedCache<CatalogView>;
  /** By what is in them. */
  readonly contents: Readonly<Record<"mcp" | "api", BoundedCache<CatalogView>>>;
  readonly known: WeakMap<Caller, { mcp?: CatalogView; api?: CatalogView }>;
}

function findCandidate(
  snapshot: CatalogSnapshot,
  surface: "mcp" | "api",
  name: string,
): Candidate | undefined {
  const { index } = snapshot;
  const position = index.findTool(name);
  const tool = position === undefined ? undefined : index.catalog.tools[position];
  const provider = tool && index.catalog.providers.find((candidate) => candidate.name === tool.provider);
  return tool && provider && { tool, provider, surface };
}

function nothing(index: CatalogIndex): CatalogView {
  return selectView(index, {
    includes: () => false,
    names: () => false,
    notice: "No tools could be determined for you. Try again later; the log of the gateway says why.",
  });
}
