/**
 * Options for a thread that works on foreign documents: what the process may read, and nothing else that its permission model guards. A
 * thread has permissions of its own, and without these options all that there are (Node's documentation of `--permission`).
 */
export function threadPermissions(): readonly string[] {
  if (process.permission === undefined) return [];
  const { execArgv } = process;
  const read = execArgv.flatMap((option, index) => {
    if (option === "--allow-fs-read") return [`${option}=${execArgv[index + 1] ?? ""}`];
    return option.startsWith("--allow-fs-read=") ? [option] : [];
  });
  // Where `NODE_OPTIONS` has them, they can't be seen here; the thread has to read its own program.
  return ["--permission", ...(read.length === 0 ? ["--allow-fs-read=*"] : read)];
}
