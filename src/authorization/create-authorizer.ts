import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { type CatalogIndex, type CatalogView, createSurfaceView, selectView } from "../catalog/view.ts";
import { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { AuthorizationConfig } from "../model/config.ts";
import type { Principal } from "../model/principal.ts";
import type { Authorizer } from "./authorizer.ts";
import { type BoundedCache, createBoundedCache } from "./bounded-cache.ts";
import { buildView } from "./build-view.ts";
import { type Caller, createCaller } from "./caller.ts";
import { checkCall } from "./check-call.ts";
import type { Candidate } from "./checks.ts";
import { couldAllow } from "./could-allow.ts";
import { explain } from "./explain.ts";
import { compileRules, type Rules } from "./rules.ts";

/** What the authorizer is plugged into. */
export interface AuthorizerParts {
  readonly snapshot: CatalogSnapshot;
  /**
   * The catalog of a principal: the same object for the same tools, so that what is made of it is made once. Default: that of the
   * snapshot for everybody.
   */
  readonly indexOf?: (principal: Principal) => CatalogIndex;
  /** Those that hold now: the same object as long as nothing has changed. */
  readonly settings: () => AuthorizationConfig;
  /** Whether all callers are one and the same principal, who therefore share what they see. Default: they are not. */
  readonly isShared?: () => boolean;
  /** For what only the operator can mend. */
  readonly log?: (message: string, cause?: unknown) => void;
}

/** Distinct views of one surface that are kept at a time. One of 10,000 tools takes some 80 kB once it was listed. */
const mostKept = 500;

/** Makes the one authorization decision. */
export function createAuthorizer({
  snapshot,
  indexOf = () => snapshot.index,
  settings,
  isShared = () => false,
  log = () => {},
}: AuthorizerParts): Authorizer {
  let lastRules: RulesState | undefined;
  /** A catalog that nobody has any more takes its views along. */
  const viewsByIndex = new WeakMap<CatalogIndex, ViewState>();

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

  const viewsOf = (index: CatalogIndex, { rules }: RulesState): ViewState => {
    const known = viewsByIndex.get(index);
    if (known?.rules === rules && known.isShared === isShared()) return known;
    const isCommon = index === snapshot.index;
    const isEverybodys = isCommon && isShared();
    const views: ViewState = {
      rules,
      byCaller: createBoundedCache(4 * mostKept),
      contents: { mcp: createBoundedCache(mostKept), api: createBoundedCache(mostKept) },
      isShared: isShared(),
      isEverybodys,
      whole:
        isCommon && !isEverybodys
          ? { mcp: snapshot.view("mcp"), api: snapshot.view("api") }
          : {
              mcp: createSurfaceView(index, "mcp", isEverybodys),
              api: createSurfaceView(index, "api", isEverybodys),
            },
      known: new WeakMap(),
    };
    viewsByIndex.set(index, views);
    return views;
  };

  return {
    view: (principal, surface) => {
      try {
        const state = rulesNow();
        const index = indexOf(principal);
        const views = viewsOf(index, state);
        const caller = callerOf(principal, state);
        const known = views.known.get(caller) ?? {};
        views.known.set(caller, known);
        known[surface] ??= views.byCaller.get(`${surface} ${caller.key}`, () =>
          buildView(caller, index, views.whole[surface], {
            surface,
            rules: state.rules,
            isEverybodys: views.isEverybodys,
            views: views.contents[surface],
          }),
        );
        return known[surface];
      } catch (error) {
        log("What a caller may use could not be decided, so it is nothing.", error);
        return nothing(snapshot.index);
      }
    },
    couldAllow: (principal, tool) => couldAllow(callerOf(principal, rulesNow()), tool),
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
      return explain(
        callerOf(principal, state),
        findCandidate(indexOf(principal), surface, name),
        name,
        state.rules,
      );
    },
  };
}

/** What follows from the settings, until these are replaced. */
interface RulesState {
  readonly settings: AuthorizationConfig;
  readonly rules: Rules;
  readonly callers: WeakMap<Principal, Caller>;
}

/** What follows from settings and one catalog, until either is replaced. */
interface ViewState {
  readonly rules: Rules;
  readonly isShared: boolean;
  /** Whether every caller gets the same. */
  readonly isEverybodys: boolean;
  /** By surface and all that a decision reads of a caller. */
  readonly byCaller: BoundedCache<CatalogView>;
  /** By what is in them. */
  readonly contents: Readonly<Record<"mcp" | "api", BoundedCache<CatalogView>>>;
  /** Of those who get everything. */
  readonly whole: Readonly<Record<"mcp" | "api", CatalogView>>;
  readonly known: WeakMap<Caller, { mcp?: CatalogView; api?: CatalogView }>;
}

function findCandidate(index: CatalogIndex, surface: "mcp" | "api", name: string): Candidate | undefined {
  const position = index.findTool(name);
  const tool = position === undefined ? findEntry(index, name) : index.catalog.tools[position];
  const provider = tool && index.findProvider(tool.provider);
  return tool && provider && { tool, provider, surface };
}

/** Prompts, resources and methods of a provider, such as `notion_prompts/get`. */
function findEntry({ catalog }: CatalogIndex, name: string): Tool | undefined {
  return catalog.providers
    .flatMap(({ entries = {} }) => Object.values(entries))
    .find((entry) => entry.name === name);
}

function nothing(index: CatalogIndex): CatalogView {
  return selectView(index, {
    includes: () => false,
    names: () => false,
    allows: () => false,
    isEverybodys: false,
    notice: "No tools could be determined for you. Try again later; the log of the gateway says why.",
  });
}
