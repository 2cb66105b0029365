import { randomUUID } from "node:crypto";
import type { CatalogView } from "../catalog/view.ts";
import { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { Credential } from "../model/credential.ts";
import type { Invocation, InvocationRequest } from "../model/invocation.ts";
import type { JsonObject } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import type { InvocationResult } from "../model/result.ts";
import { findAuthorizedTool } from "./authorize.ts";
import type { ArgumentChecker } from "./check-arguments.ts";
import type { SizeCheck } from "./check-size.ts";
import type { CallCounter } from "./count-calls.ts";
import type { CredentialResolver } from "./credential-resolver.ts";
import { credentialRefusal, type Executor, type Subscription } from "./executor.ts";
import type { Interceptor } from "./interceptor.ts";
import { type AwaitedParts, awaitedFor, refuseAwaited } from "./refuse-awaited.ts";

/** What the broker is plugged into. */
export interface BrokerParts extends AwaitedParts {
  /** What this caller may see now. */
  readonly view: (request: InvocationRequest) => CatalogView;
  /** Counts a call that its caller may make, before any work is done for it. Absent: calls are not counted. */
  readonly count?: CallCounter | undefined;
  /** Absent: arguments may have any size. */
  readonly checkSize?: SizeCheck;
  /** Gives the arguments that the upstream is meant to get, by the way in which the tool is called. */
  readonly cleanArguments: (tool: Tool, callArguments: JsonObject) => JsonObject;
  readonly checkArguments: ArgumentChecker;
  /** Throws `arguments_denied` when a policy refuses arguments that fit the schema. */
  readonly authorizeArguments: (principal: Principal, tool: Tool, callArguments: JsonObject) => void;
  readonly credentials: CredentialResolver;
  /** `undefined` while the tool's provider is away. */
  readonly executor: (tool: Tool) => Executor | undefined;
  readonly interceptors: readonly Interceptor[];
}

/** The one way from a request to a result, whatever it came in through. */
export interface Broker {
  /** Throws `GatewayError` for what the gateway refuses or could not carry out; an upstream's refusal is a result. */
  invoke(request: InvocationRequest): Promise<InvocationResult>;
  /**
   * Subscribes to a resource, after the same checks and with the same credential as reading it: the target is `resources/subscribe` of
   * the feature `resources`. See {@link Executor.subscribe}. Making it is a call like others; that it stands takes no place.
   */
  subscribe(request: InvocationRequest, updated: (params: JsonObject) => void): Promise<Subscription>;
}

/**
 * The sequence: find and authorize, count, check arguments and authorize them, resolve the credential, interceptors, execute; once
 * more with another credential, if there is one, where the upstream refuses the first.
 */
export function createBroker(parts: BrokerParts): Broker {
  /** All of a call up to its credential. */
  const prepare = async (request: InvocationRequest): Promise<PreparedCall> => {
    const { target } = request;
    const view = parts.view(request);
    const awaited = awaitedFor(parts, request, view);
    if (awaited.length > 0) return refuseAwaited(parts, request, view, awaited);
    const tool = findAuthorizedTool(view, target);
    parts.count?.(request.principal, tool, target.kind === "feature" ? "feature" : "tool");
    parts.checkSize?.(request.arguments);
    const callArguments = parts.cleanArguments(tool, request.arguments);
    // The params of other methods than `tools/call` are for the upstream to check.
    if (target.kind !== "feature") parts.checkArguments(tool, callArguments);
    parts.authorizeArguments(request.principal, tool, callArguments);
    // Before the first wait: tool, executor and credential come from the same configuration, whatever is reloaded meanwhile.
    const executor = parts.executor(tool);
    const credential = await parts.credentials.resolve(request, tool);
    const invocation: Invocation = {
      id: randomUUID(),
      via: request.via,
      tenant: request.principal.tenant,
      principal: request.principal,
      provider: tool.provider,
      tool: tool.name,
      arguments: callArguments,
      connection: tool.connection,
      credential: credential.reference,
      catalogVersion: view.catalogVersion,
      ...(target.kind === "feature" && { method: target.method }),
      meta: request.meta,
      peer: request.peer,
      signal: request.signal,
    };
    return { tool, executor, credential, invocation };
  };

  return {
    invoke: async (request) => {
      const { tool, executor, credential, invocation } = await prepare(request);
      /** Tells what the upstream made of a credential, and gives another one to try where it refused this one. */
      const judge = async (
        result: InvocationResult,
        used: Credential,
        signal: AbortSignal,
      ): Promise<Credential | undefined> => {
        const refusal = result.kind === "http" ? credentialRefusal(result.status, result.headers) : undefined;
        if (refusal !== undefined)
          return parts.credentials.renew(used, refusal, { ...request, signal }, tool);
        parts.credentials.accepted(used);
        return undefined;
      };
      const execute: Execute = async (current) => {
        if (executor === undefined) throw away(tool);
        const result = await executor.execute(current, tool, credential);
        if (credential.reference === undefined) return result;
        const renewed = await judge(result, credential, current.signal);
        // What was refused for its credential has done nothing, so it may be made again whatever it does.
        if (renewed === undefined) return result;
        const again = await executor.execute(current, tool, renewed);
        // A new credential that is refused as well is no reason to go on, but one to ask somebody to connect.
        await judge(again, renewed, current.signal);
        return again;
      };
      return within(parts.interceptors, tool, execute)(invocation);
    },
    subscribe: async (request, updated) => {
      const { tool, executor, credential, invocation } = await prepare(request);
      if (executor === undefined) throw away(tool);
      if (executor.subscribe === undefined) {
        throw new GatewayError("unsupported", `Provider \`${tool.provider}\` has no subscriptions.`);
      }
      const { subscribe } = executor;
      let subscription: Subscription | undefined;
      await within(parts.interceptors, tool, async (current) => {
        subscription = await subscribe(current, tool, credential, updated);
        return subscribed;
      })(invocation);
      if (subscription === undefined) throw new Error("A subscription came to nothing without an error.");
      if (credential.reference !== undefined) parts.credentials.accepted(credential);
      return subscription;
    },
  };
}

type Execute = (invocation: Invocation) => Promise<InvocationResult>;

function within(interceptors: readonly Interceptor[], tool: Tool, execute: Execute): Execute {
  return interceptors.reduceRight<Execute>(
    (next, interceptor) => (current) => interceptor(current, tool, next),
    execute,
  );
}

/** What a subscription comes to, for interceptors. */
const subscribed: InvocationResult = { kind: "mcp", result: {}, isError: false };

/** A call that nothing stands in the way of. */
interface PreparedCall {
  readonly tool: Tool;
  readonly executor: Executor | undefined;
  readonly credential: Credential;
  readonly invocation: Invocation;
}

function away({ provider }: Tool): GatewayError {
  return new GatewayError(
    "provider_unavailable",
    `Provider \`${provider}\` is not available at the moment. Try again later.`,
    { retryable: true },
  );
}
