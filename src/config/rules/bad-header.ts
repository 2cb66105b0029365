import type { NodePath } from "../../documents/located-node.ts";
import type { Connection, GatewayFile } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import { eachOperation } from "../each-operation.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** Set by the HTTP client for each connection and each message (RFC 9110 section 7.6.1, RFC 9112 section 6). */
const ownedByTransport = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers have a name of token characters (RFC 9110 section 5.6.2), a value on one line, and are not the transport's own. */
export const badHeader: Rule = function* (file, look): Generator<Finding> {
  for (const { name, value, path, valuePath, target } of eachHeader(file)) {
    const written = target === "key" ? name : look.written(path);
    const shown = written.length > 60 ? `${written.slice(0, 59)}…` : written;
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      yield {
        code: "bad-header",
        message: `\`${shown}\` can't be the name of a header: it is letters, digits and \`-\`, without spaces or colons.`,
        path,
        target,
      };
    } else if (ownedByTransport.has(name.toLowerCase())) {
      yield {
        code: "bad-header",
        message: `The header \`${shown}\` is set by the HTTP connection itself and can't be given here. Remove it.`,
        path,
        target,
      };
    } else if (value !== undefined && /[\r\n\0]/.test(value)) {
      yield {
        code: "bad-header",
        message: `The value of \`${shown}\` holds a line break, which would end the header. Write it on one line.`,
        path: valuePath,
      };
    } else if (value !== undefined && /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      yield {
        code: "bad-header",
        message: `The value of \`${shown}\` holds a character that can't be sent in a header. Use characters of Latin-1.`,
        path: valuePath,
      };
    }
  }
};

interface Header {
  readonly name: string;
  readonly value: string | undefined;
  readonly path: NodePath;
  readonly valuePath: NodePath;
  readonly target: "key" | "value";
}

/** What of a connection travels in a header that the file names. */
function* eachCarrier(
  { auth, params }: Connection,
  path: NodePath,
): Generator<{ readonly name: string; readonly prefix: string | undefined; readonly path: NodePath }> {
  if (auth?.type === "oauth2" && (auth.header !== undefined || auth.prefix !== undefined)) {
    yield { name: auth.header ?? "Authorization", prefix: auth.prefix, path: [...path, "auth"] };
  }
  for (const [index, { header, prefix }] of auth?.type === "manual" ? auth.credentials.entries() : []) {
    if (header === undefined) continue;
    yield { name: header, prefix, path: [...path, "auth", "credentials", index] };
  }
  for (const [name, { header }] of Object.entries(params ?? {})) {
    if (header !== undefined) yield { name: header, prefix: undefined, path: [...path, "params", name] };
  }
}

function* eachHeader(file: GatewayFile): Generator<Header> {
  for (const { provider, path } of eachProvider(file)) {
    for (const [name, value] of Object.entries(provider.headers ?? {})) {
      const headerPath = [...path, "headers", name];
      yield { name, value, path: headerPath, valuePath: headerPath, target: "key" };
    }
    for (const [index, { name, in: location, value }] of (provider.managed_parameters ?? []).entries()) {
      if (location !== "header") continue;
      const parameterPath = [...path, "managed_parameters", index];
      const valuePath = [...parameterPath, "value"];
      yield { name, value, path: [...parameterPath, "name"], valuePath, target: "value" };
    }
  }
  for (const { connection, path } of eachConnection(file)) {
    if (connection.auth?.type === "passthrough") {
      const headerPath = [...path, "auth", "header"];
      // Those that are the gateway's own have a rule of their own.
      if (/^(proxy-authorization|content-length|host)$/i.test(connection.auth.header)) continue;
      yield {
        name: connection.auth.header,
        value: undefined,
        path: headerPath,
        valuePath: headerPath,
        target: "value",
      };
    }
    for (const { name, prefix, path: carrierPath } of eachCarrier(connection, path)) {
      const headerPath = [...carrierPath, "header"];
      const valuePath = [...carrierPath, "prefix"];
      yield { name, value: prefix, path: headerPath, valuePath, target: "value" };
    }
  }
  for (const { operation, path } of eachOperation(file)) {
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      if (parameter.in !== "header") continue;
      const namePath = [...path, "parameters", index, "name"];
      yield { name: parameter.name, value: undefined, path: namePath, valuePath: namePath, target: "value" };
    }
  }
}
