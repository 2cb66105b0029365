/** `_meta` keys of the gateway's own. */
export const gatewayMetaKeys = {
  /** `{code, retryable, …details}` of a call that the gateway refused or could not carry out. */
  error: "io.gestalt/error",
  /** `{status, headers}` of the upstream's HTTP answer. */
  http: "io.gestalt/http",
} as const;
