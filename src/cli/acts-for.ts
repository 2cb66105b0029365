import type { ActsFor } from "../model/administration.ts";
import { UsageError } from "./usage-error.ts";

/** The tenants of repeated `--acts-for`; `undefined` when none was given. */
export function actsForOption(tenants: readonly string[]): ActsFor | undefined {
  if (tenants.length === 0) return undefined;
  if (!tenants.includes("any")) return tenants;
  if (tenants.length > 1) throw new UsageError("`--acts-for any` stands for every tenant; name no others.");
  return "any";
}
