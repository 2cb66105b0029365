/** One check on the way to a decision, in the order in which they are made. */
export interface DecisionStep {
  readonly check:
    | "catalog"
    | "surface"
    | "provider-scope"
    | "tenant-exposure"
    | "roles"
    | "scopes"
    | "destructive"
    | "default"
    | "policy";
  /** Name of the policy; absent for the other checks. */
  readonly policy?: string;
  /** `depends`: on the arguments of the call. `silent`: it has nothing to say here. */
  readonly outcome: "allows" | "denies" | "depends" | "silent";
  /** For people: one sentence on why. */
  readonly detail: string;
}

/** Whether a principal may see and call a tool, and how that was found. */
export interface Decision {
  /** `depends`: the tool is listed, and a policy looks at the arguments of each call. */
  readonly outcome: "allowed" | "denied" | "depends";
  readonly steps: readonly DecisionStep[];
}
