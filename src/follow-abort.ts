/**
 * Aborts a controller when a signal aborts, for the same reason; returns the way to stop that. For what happens at each call, where
 * `AbortSignal.any` costs much: what it refers to, weakly, outlives the next collections of garbage.
 */
export function followAbort(controller: AbortController, signal: AbortSignal): () => void {
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener("abort", follow, { once: true });
  return () => signal.removeEventListener("abort", follow);
}
