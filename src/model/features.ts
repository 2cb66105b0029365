import type { JsonObject } from "./json.ts";

/**
 * What an MCP server has besides tools, by what a decision is made about: `prompts` (with their completion), `resources` (with
 * templates, their completion and subscriptions), and `methods`, which are not of the specification.
 */
export type Feature = "prompts" | "resources" | "methods";

/** What an upstream MCP server has besides tools, as it lists it. */
export interface McpFeatures {
  readonly prompts: readonly ListedFeature[];
  readonly resources: readonly ListedFeature[];
  readonly templates: readonly ListedFeature[];
  readonly freshness: Freshness;
}

/** A prompt, a resource or a resource template as its upstream lists it. */
export interface ListedFeature {
  /** The name of a prompt, the URI of a resource, the URI template of a template (RFC 6570): as the upstream writes it. */
  readonly id: string;
  /** The entry of the list: without hidden characters where people and models read, and without reserved `_meta`. */
  readonly listed: JsonObject;
}

/** How long a list keeps, and for whom (MCP 2026-07-28, caching). */
export interface Freshness {
  /** In ms; 0 where a server does not say. */
  readonly ttlMs: number;
  /** `public`: all callers get the same. */
  readonly scope: "public" | "private";
}

/** A prompt, a resource or a resource template as clients know it. */
export interface Offering {
  /** What clients call it: unique among all of its kind that a caller sees. */
  readonly name: string;
  /** What its upstream calls it. */
  readonly id: string;
  readonly provider: string;
  /** The entry of the list, with {@link name} in the place of the upstream's own. */
  readonly listed: JsonObject;
  /** The instances of the provider's connection that have it, where a caller has several; absent: there is nothing to choose. */
  readonly instances?: readonly string[];
}

/** All that is offered besides tools, each list in code-point order of names. */
export interface Offerings {
  readonly prompts: readonly Offering[];
  readonly resources: readonly Offering[];
  readonly templates: readonly Offering[];
}

/** Where a resource is read. */
export interface ResourceTarget {
  readonly provider: string;
  /** As the upstream knows it. */
  readonly uri: string;
  /** The resource, or else the template that it comes from; `undefined`: nobody lists it, but the provider may have it. */
  readonly offering: Offering | undefined;
}
