/** `_meta` keys of the gateway's own. */
export const gatewayMetaKeys = {
  /** `{code, retryable, …details}` of a call that the gateway refused or could not carry out. */
  error: "io.gestalt/error",
  /** In an empty `tools/list`: why there are no tools, and what to do about it. */
  notice: "io.gestalt/notice",
  /** `{status, headers}` of the upstream's HTTP answer; `attempts` where it took several. */
  http: "io.gestalt/http",
  /** `{pages, items, more, next, stopped}` of an answer that comes in pages: what it holds of them, and how to go on. */
  pages: "io.gestalt/pages",
  /** `{bytes, shown, uri}` of a result of which only a part is given; `uri` where all of it can be read for a while. */
  cut: "io.gestalt/cut",
  /** In a list: `[{provider, state, reason}]` of the providers whose part of it is missing or old. */
  unavailable: "io.gestalt/unavailable",
  /** In an entry of a list: the caller's connections that have it, where it has to choose. */
  instances: "io.gestalt/instances",
  /** In a request: the one of them that it is meant for. */
  instance: "io.gestalt/instance",
} as const;
