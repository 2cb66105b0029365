import { loadConfig } from "../../src/config/load-config.ts";
import { Gateway } from "../../src/gateway.ts";
import { openState } from "../../src/open-state.ts";

/** A gateway in this process that serves a configuration file on a free port. */
export interface RunningGateway {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one. */
export async function runGateway(file: string): Promise<RunningGateway> {
  const { config, diagnostics } = await loadConfig(file, {
    environment: {},
    references: "resolve",
    workingDirectory: process.cwd(),
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  const log = (): void => {};
  const callers = await openState(config, { log });
  const gateway = new Gateway(
    { ...config, server: { ...config.server, port: 0 } },
    { workingDirectory: process.cwd(), environment: {}, log, ...callers, retry: false },
  );
  const server = await gateway.listen();
  await gateway.start();
  return {
    url: server.url,
    stop: async () => {
      await server.drain(0);
      await gateway.close();
      await callers.close();
    },
  };
}
