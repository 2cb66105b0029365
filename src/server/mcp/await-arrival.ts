import type { CatalogView } from "../../catalog/view.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import type { Method } from "./methods.ts";

/** What is needed to wait for providers. */
export interface ArrivalParts {
  readonly view: (principal: Principal) => CatalogView;
  /** Resolves once providers that are just being started have arrived, or are late; `undefined`: there are none that the caller may know. */
  readonly arrival: (principal: Principal) => Promise<void> | undefined;
}

/**
 * The method, once providers that are just being started are there or late. Who asks for something that is there already
 * waits for nobody.
 *
 * @param isThere whether that is so; absent: lists, which are to be whole.
 */
export function awaitArrival(
  { view, arrival }: ArrivalParts,
  method: Method,
  isThere: (view: CatalogView, params: JsonObject) => boolean = () => false,
): Method {
  return (params, caller) => {
    const waiting = arrival(caller.principal);
    if (waiting === undefined || isThere(view(caller.principal), params)) return method(params, caller);
    return waiting.then(() => method(params, caller));
  };
}
