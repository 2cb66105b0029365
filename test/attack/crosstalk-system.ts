import { expect } from "vitest";
import { roomForCalls } from "../limits.ts";
import { tokenCaller } from "./callers.ts";
import { type CrosstalkUpstreams, startCrosstalkUpstreams } from "./crosstalk-upstreams.ts";
import { type System, startSystem } from "./system.ts";

/** A gateway in front of the upstreams, and those who may call it. */
export interface CrosstalkSystem {
  readonly upstreams: CrosstalkUpstreams;
  readonly system: System;
  /** Headers by which each principal calls. */
  readonly tokens: readonly Readonly<Record<string, string>>[];
  close(): Promise<void>;
}

/** Starts everything, with so many principals. */
export async function startCrosstalkSystem(principals: number): Promise<CrosstalkSystem> {
  const upstreams = await startCrosstalkUpstreams();
  const system = await startSystem(upstreams.providers, {
    settings: { auth: { provider: "local" }, limits: roomForCalls },
  });
  expect(system.diagnostics).toEqual([]);
  const administration = await system.administration();
  const tokens: Readonly<Record<string, string>>[] = [];
  for (let index = 0; index < principals; index++) {
    tokens.push((await tokenCaller(administration, { name: `p${index}`, scopes: undefined })).headers);
  }
  return {
    ...{ upstreams, system, tokens },
    close: async () => {
      await system.close();
      await upstreams.close();
    },
  };
}
