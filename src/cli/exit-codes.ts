/** What the command's exit status says. */
export const exitCodes = {
  ok: 0,
  /** It failed while running: a port in use, an upstream away, a call refused. */
  failed: 1,
  /** The configuration has errors. */
  invalid: 2,
  /** The command line is wrong (`EX_USAGE` of sysexits.h). */
  usage: 64,
} as const;

/** One of the statuses. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
