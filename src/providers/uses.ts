import type { Executor, Subscription } from "../broker/executor.ts";

/** What uses a surface: calls that run, and subscriptions. */
export interface Uses {
  /** True while there is any. */
  readonly isBusy: boolean;
  /** Calls that run; making a subscription is one. */
  readonly calls: readonly Promise<unknown>[];
  /** The same executor, whose uses are counted. */
  count(executor: Executor): Executor;
  /** What the subscriptions so far were made with is given up: they count no more, and are over. */
  endSubscriptions(): void;
}

/** Counts nothing yet. */
export function createUses(): Uses {
  const calls = new Set<Promise<unknown>>();
  let made = noSubscriptions();

  function track<Outcome>(running: Promise<Outcome>): Promise<Outcome> {
    calls.add(running);
    const forget = (): boolean => calls.delete(running);
    running.then(forget, forget);
    return running;
  }

  return {
    get isBusy() {
      return calls.size + made.subscriptions.size > 0;
    },
    get calls() {
      return [...calls];
    },
    count: (executor) => {
      const { subscribe } = executor;
      const among = made;
      return {
        execute: (...call) => track(executor.execute(...call)),
        ...(subscribe !== undefined && {
          subscribe: async (...call) => keepAmong(among, await track(subscribe.apply(executor, call))),
        }),
      };
    },
    endSubscriptions: () => {
      const { ending } = made;
      made = noSubscriptions();
      ending.abort();
    },
  };
}

/** What was made with one opening of a surface. */
interface MadeSubscriptions {
  readonly subscriptions: Set<Subscription>;
  readonly ending: AbortController;
}

function noSubscriptions(): MadeSubscriptions {
  return { subscriptions: new Set(), ending: new AbortController() };
}

/** A subscription that counts until it is ended. */
function keepAmong({ subscriptions, ending }: MadeSubscriptions, subscription: Subscription): Subscription {
  subscriptions.add(subscription);
  return {
    over: ending.signal,
    end: () => {
      subscriptions.delete(subscription);
      subscription.end();
    },
  };
}
