/** What somebody is to connect: the parts of a connect URL. */
export interface ConnectTarget {
  readonly provider: string;
  readonly connection: string;
  /** `undefined`: the one that the page proposes. */
  readonly instance?: string | undefined;
  /** `undefined`: the tenant that whoever signs in belongs to. */
  readonly tenant?: string | undefined;
}

/** The address of the page at which somebody connects a target. */
export type ConnectUrl = (target: ConnectTarget) => string;

/** The gateway's connect page as such, at which everybody finds what they can connect. */
export function connectPage(baseUrl: () => string): () => string {
  return () => `${baseUrl()}/connect`;
}

/**
 * Makes addresses of the gateway's connect page, where whoever opens it signs in. They carry names and nothing else, so that they may be
 * shown to anybody and put into logs.
 *
 * @param baseUrl the URL at which the gateway is reached now, without a slash at the end.
 */
export function createConnectUrl(baseUrl: () => string): ConnectUrl {
  const page = connectPage(baseUrl);
  return ({ provider, connection, instance, tenant }) => {
    const query = new URLSearchParams({ provider, connection });
    if (instance !== undefined) query.set("instance", instance);
    if (tenant !== undefined) query.set("tenant", tenant);
    return `${page()}?${query}`;
  };
}
