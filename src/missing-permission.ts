/** The option of Node that allows what its permission model has refused, by the name that the error has for it. */
const options: ReadonlyMap<unknown, string> = new Map([
  ["FileSystemRead", "--allow-fs-read"],
  ["FileSystemWrite", "--allow-fs-write"],
  ["ChildProcess", "--allow-child-process"],
  ["WorkerThreads", "--allow-worker"],
]);

/**
 * What to start Node with, where an error says that its permission model (`node --permission`) stands in the way: `--allow-fs-read=/path`.
 * `undefined` for all other errors.
 */
export function missingPermission(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_ACCESS_DENIED")) return undefined;
  const option = "permission" in error ? options.get(error.permission) : undefined;
  if (option === undefined) return "the option that its permission model asks for";
  const isPath = option.startsWith("--allow-fs") && "resource" in error && error.resource !== "";
  return `\`${option}${isPath ? `=${String(error.resource)}` : ""}\``;
}
