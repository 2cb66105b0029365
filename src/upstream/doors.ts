import { Agent, type buildConnector, type Dispatcher } from "undici";
import { type ConnectorOptions, createConnector } from "./create-connector.ts";
import { createOperatorConnector, createPublicConnector, isPublic, isUsual } from "./egress-policy.ts";

/**
 * The ways to the network. `operator`: to addresses that the operator named; `lasting`: there, for what stays open; `allowed`: to hosts
 * that an upstream named and the operator allows; `public`: to whatever else an upstream named. They share no connection.
 */
export type DoorName = "operator" | "lasting" | "allowed" | "public";

/** The ways to the network with the same times. */
export interface Doors {
  dispatcher(name: DoorName): Dispatcher;
  /** Ends what is under way, and every connection. */
  destroy(): Promise<void>;
}

/** Bytes of the head of an answer: of its status line and all headers, and once more of all trailers. */
const mostHeaderBytes = 16 * 1024;
/** Most connections to one origin for what lasts: of each session with an MCP server, one. */
const lastingConnectionsPerOrigin = 8192;

/**
 * Opens the doors, each when it is first needed. HTTP/1.1 only: a request has its connection to itself, so aborting it closes exactly
 * that. Idle connections are kept for 4 s, or for as long as the upstream says. After destroying, everything fails with undici's error.
 */
export function openDoors(options: Omit<ConnectorOptions, "accepts">, connectionsPerOrigin: number): Doors {
  const open = (connect: buildConnector.connector, connections: number): Agent =>
    new Agent({ connect, allowH2: false, connections, maxHeaderSize: mostHeaderBytes });
  const toNamed = (): buildConnector.connector =>
    createOperatorConnector({
      toAny: createConnector(options),
      toUsual: createConnector({ ...options, accepts: isUsual }),
    });
  const makers: Readonly<Record<DoorName, () => Agent>> = {
    operator: () => open(toNamed(), connectionsPerOrigin),
    lasting: () => open(toNamed(), lastingConnectionsPerOrigin),
    allowed: () => open(toNamed(), connectionsPerOrigin),
    public: () =>
      open(createPublicConnector(createConnector({ ...options, accepts: isPublic })), connectionsPerOrigin),
  };
  const opened: Partial<Record<DoorName, Agent>> = {};
  let isOver = false;
  return {
    dispatcher: (name) => {
      const known = opened[name];
      if (known !== undefined) return known;
      const made = makers[name]();
      if (isOver) void made.destroy();
      opened[name] = made;
      return made;
    },
    destroy: async () => {
      isOver = true;
      await Promise.all(Object.values(opened).map((agent) => agent.destroy()));
    },
  };
}
