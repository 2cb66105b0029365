import type { ServerConfig } from "./model/config.ts";

/** Where the gateway is reached. One for the whole process, as reloads don't change where it listens. */
export interface OwnAddress {
  /** Where people and authorization servers reach the gateway, without a slash at the end. */
  baseUrl(): string;
  /**
   * The same as a client sees it: where the file names no `base_url`, and only this machine can reach the gateway, by the loopback name that
   * the client has used.
   *
   * @param host the request's `Host`, which was checked.
   */
  baseUrlFor(host: string | undefined): string;
  /** Every base URL that means this gateway, `baseUrl()` first. */
  baseUrls(): readonly string[];
  /** Tells where it listens, once it does. */
  listensOn(url: string): void;
}

/** Other names that lead to where it listens, by that. At another address of this machine somebody else may listen. */
const loopbackNames: Readonly<Record<string, readonly string[]>> = {
  "127.0.0.1": ["localhost"],
  "[::1]": ["localhost"],
  localhost: ["127.0.0.1", "[::1]"],
};

/** @param server the settings that the process began with. */
export function createOwnAddress(server: () => Pick<ServerConfig, "host" | "port" | "baseUrl">): OwnAddress {
  let listened: string | undefined;
  // Asked for at every request with an access token.
  let last: { readonly own: string; readonly isNamed: boolean; readonly all: readonly string[] } | undefined;
  const baseUrl = (): string => withoutSlash(server().baseUrl ?? listened ?? addressOf(server()));
  const baseUrls = (): readonly string[] => {
    const own = baseUrl();
    const isNamed = server().baseUrl !== undefined;
    if (last?.own !== own || last.isNamed !== isNamed)
      last = { own, isNamed, all: isNamed ? [own] : namesOf(own) };
    return last.all;
  };
  return {
    baseUrl,
    baseUrls,
    baseUrlFor: (host) => {
      const asked = host?.toLowerCase();
      return baseUrls().find((url) => URL.parse(url)?.host === asked) ?? baseUrl();
    },
    listensOn: (url) => {
      listened = url;
    },
  };
}

/** Where a gateway with this configuration is reached on its own machine, as far as the file says. */
function addressOf({ host, port }: Pick<ServerConfig, "host" | "port">): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The URL, and where it leads nowhere but to this machine, the same under the other names for that. */
function namesOf(own: string): readonly string[] {
  const url = URL.parse(own);
  if (url === null || !Object.hasOwn(loopbackNames, url.hostname)) return [own];
  const port = url.port === "" ? "" : `:${url.port}`;
  return [own, ...(loopbackNames[url.hostname] ?? []).map((name) => `${url.protocol}//${name}${port}`)];
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
