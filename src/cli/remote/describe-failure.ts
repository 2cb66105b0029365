import { GatewayError } from "../../errors.ts";
import { oneLine } from "../one-line.ts";

/** Why a gateway could not be asked, in words that say what to do. Whatever it was stays the cause. */
export function describeFailure(error: unknown, url: URL): GatewayError {
  return new GatewayError("provider_unavailable", describe(codeOf(error), url), {
    cause: error,
    retryable: true,
  });
}

function describe(code: string, url: URL): string {
  const { origin, host } = url;
  switch (code) {
    case "TimeoutError":
      return `${origin} did not answer within 30 seconds.`;
    case "ECONNREFUSED":
      return `Nothing listens at ${origin}. Is the gateway running, and is this its port?`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `There is no host \`${url.hostname}\`, as far as this machine can tell. Is the address right?`;
    case "ECONNRESET":
    case "UND_ERR_SOCKET":
      return `${origin} broke the connection off. Is it a gateway, and is it http:// or https://?`;
  }
  if (/^(ERR_SSL_|EPROTO)/.test(code))
    return `${host} does not speak TLS at this port. Should it be http://?`;
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    return `The certificate of ${host} is not trusted (${code}). If its authority is your own, name the authority's certificate in the variable NODE_EXTRA_CA_CERTS.`;
  }
  return `${origin} can't be reached${code === "" ? "" : ` (${oneLine(code)})`}.`;
}

/** The most telling code along the causes: `fetch failed` says nothing, what is below it does. */
function codeOf(error: unknown): string {
  let found = "";
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if (current.name === "TimeoutError") return current.name;
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    if (current instanceof Error && "code" in current && typeof current.code === "string")
      found = current.code;
    current = current instanceof Error ? current.cause : undefined;
  }
  return found;
}
