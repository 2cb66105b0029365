import type { Executor } from "../broker/executor.ts";
import { GatewayError } from "../errors.ts";
import type { CredentialReference } from "../model/credential.ts";
import type { ScopedSurface } from "./scoped-surfaces.ts";
import { settledWithin } from "./wait.ts";

/** What calls to a surface that belongs to callers are carried out with. */
export interface ScopedExecutorParts {
  readonly provider: string;
  /** The surface's connection. */
  readonly connection: string | undefined;
  /** `undefined`: the provider is closed. */
  readonly open: (reference: CredentialReference) => ScopedSurface | undefined;
  /** How long a call waits for a surface that is being opened, in ms. */
  readonly openMilliseconds: number;
}

/** Carries out each call in the session of its own credential, which it opens where that is not there. */
export function createScopedExecutor({
  provider,
  connection,
  open,
  openMilliseconds,
}: ScopedExecutorParts): Executor {
  /** The executor of a call's own session, once it is there. */
  async function find(
    ...[invocation, tool, { reference }]: Parameters<Executor["execute"]>
  ): Promise<Executor> {
    if (reference?.provider !== provider || reference.connection !== connection) {
      throw new GatewayError("internal", `\`${tool.name}\` was to be called with another's credential.`);
    }
    const { signal } = invocation;
    let scoped = open(reference);
    let executor = scoped?.session.executor();
    // One that is given up while it is opened, because somebody has connected anew, has a successor.
    for (let round = 0; scoped !== undefined && executor === undefined && round < 2; round += 1) {
      if (scoped.isDropped) scoped = open(reference);
      if (scoped === undefined) break;
      await settledWithin([scoped.session.ensure()], openMilliseconds, signal);
      if (signal.aborted) throw cancelled(signal);
      executor = scoped.session.executor();
      if (scoped.session.lost !== undefined) throw scoped.session.lost;
      if (!scoped.isDropped) break;
    }
    if (executor === undefined) throw unavailable(provider, scoped);
    return executor;
  }

  return {
    execute: async (...call) => (await find(...call)).execute(...call),
    subscribe: async (invocation, tool, credential, updated) => {
      const executor = await find(invocation, tool, credential);
      if (executor.subscribe === undefined) {
        throw new GatewayError("unsupported", `Provider \`${provider}\` has no subscriptions.`);
      }
      return executor.subscribe(invocation, tool, credential, updated);
    },
  };
}

function cancelled({ reason }: AbortSignal): GatewayError {
  return reason instanceof GatewayError
    ? reason
    : new GatewayError("cancelled", "The call was cancelled.", { cause: reason });
}

function unavailable(provider: string, scoped: ScopedSurface | undefined): GatewayError {
  const status = scoped?.session.status;
  const reason = status !== undefined && "reason" in status ? status.reason : undefined;
  return new GatewayError(
    "provider_unavailable",
    `Provider \`${provider}\` is not available at the moment${reason === undefined ? "." : `: ${reason}`} Try again later.`,
    { retryable: true },
  );
}
