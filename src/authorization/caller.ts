import { createHash } from "node:crypto";
import type { Tool } from "../model/catalog.ts";
import type { Principal } from "../model/principal.ts";
import { createScopeMatcher, type ScopeMatcher } from "../policy/scope.ts";
import { type PolicySubject, principalSubject, rolesOf } from "../policy/subject.ts";
import { compileWildcard, type Wildcard } from "../policy/wildcard.ts";
import type { Rule, Rules } from "./rules.ts";

/** A principal with all that decisions need of it, ready to decide by. */
export interface Caller {
  readonly principal: Principal;
  /** True for the command line beside the configuration file: it may change that, so nothing in it binds it. */
  readonly isOperator: boolean;
  /** Equal for principals about which all decisions are equal. */
  readonly key: string;
  readonly roles: readonly string[];
  /** Those of the roles that the file does not declare, where it declares any. */
  readonly undeclaredRoles: readonly string[];
  /** What the roles allow together; `undefined`: roles limit nobody. */
  readonly roleScopes: ScopeMatcher | undefined;
  /** What the token is narrowed to; `undefined`: it is not. */
  readonly tokenScopes: ScopeMatcher | undefined;
  readonly exposure: Exposure | undefined;
  readonly subject: PolicySubject;
  /** What was found out when tools were first called. */
  readonly openQuestions: WeakMap<Tool, OpenQuestion>;
}

/** What the policies leave open until arguments are there: the same for all calls of one tool by one caller. */
export interface OpenQuestion {
  /** Those that depend on arguments; none: nothing is open. */
  readonly rules: readonly Rule[];
  /** What holds where none of these matches. */
  readonly otherwise: "allow" | "deny";
  readonly tool: PolicySubject;
}

/** What the tenant selects. */
export interface Exposure {
  readonly providers: ReadonlySet<string>;
  readonly patterns: readonly string[];
  readonly tools: readonly Wildcard[];
}

/** Prepares a principal for decisions under these rules. */
export function createCaller(principal: Principal, rules: Rules): Caller {
  const { kind, tenant, exposure, scopes } = principal;
  const roles = rolesOf(principal);
  const subject = principalSubject(principal);
  const isOperator = kind === "operator";
  const decisive = isOperator
    ? [isOperator]
    : [
        ...[tenant, exposure, scopes ?? null, rules.roles === undefined ? null : roles],
        rules.principalMembers.map((name) => subject.members[name]),
      ];
  return {
    principal,
    isOperator,
    key: createHash("sha256").update(JSON.stringify(decisive)).digest("base64"),
    roles,
    undeclaredRoles: roles.filter((role) => rules.roles?.has(role) === false),
    roleScopes: rules.roles && createScopeMatcher(roles.flatMap((role) => rules.roles?.get(role) ?? [])),
    tokenScopes: scopes && createScopeMatcher(scopes),
    exposure:
      exposure.kind === "all"
        ? undefined
        : {
            providers: new Set(exposure.providers),
            patterns: exposure.tools,
            tools: exposure.tools.map(compileWildcard),
          },
    subject,
    openQuestions: new WeakMap(),
  };
}
