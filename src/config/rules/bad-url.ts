import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import { referenceMeant } from "../foreign-reference.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** `url`: anything that can be called. `base`: something is appended to it. `document`: a path is fine too. */
type UrlKind = "url" | "base" | "document";

/** Addresses are http or https, hold no credentials, and leave room for what is appended to them. */
export const badUrl: Rule = function* (file, look): Generator<Finding> {
  for (const { value, path, kind } of eachUrl(file)) {
    if (kind === "document" && !/^[a-z][a-z0-9+.-]+:/i.test(value)) continue;
    const name = look.isReference(path) ? "This" : `\`${withoutCredentials(look.written(path))}\``;
    const message = refusal(value, kind, name);
    if (message !== undefined) yield { code: "bad-url", message, path };
    else if (/[^:/]\/\/+$/.test(value)) {
      yield {
        severity: "warning",
        code: "bad-url",
        message: `${name} ends with more than one slash, which is most likely a slip. Remove what is too much.`,
        path,
      };
    }
  }
};

function refusal(value: string, kind: UrlKind, name: string): string | undefined {
  const reference = referenceMeant(value);
  if (reference !== undefined) {
    return `${name} is not a URL. A reference to a variable is written \`"${reference}"\`.`;
  }
  if (/[{}<>]/.test(value)) {
    return `${name} holds a placeholder, and nothing fills it. Write the real address, or a reference such as \`\${env:TENANT}\` in its place.`;
  }
  const scheme = /^(https?:)(?!\/\/([^/]|$))/i.exec(value)?.[1];
  if (scheme !== undefined) {
    return `${name} is not a URL: exactly two slashes stand behind \`${scheme}\`. Write \`${scheme}//\` and the host.`;
  }
  if (!URL.canParse(value)) {
    const suggestion = /^[\w.-]+\.[a-z]{2,}([:/]|$)|^(localhost|[\d.]+)([:/]|$)/i.test(value)
      ? ` Did you mean \`https://${value}\`?`
      : "";
    return `${name} is not a URL. It begins with \`https://\` or \`http://\` and a host.${suggestion}`;
  }
  const url = new URL(value);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    if (kind === "document") {
      return `A document is a path or a URL that begins with \`https://\` or \`http://\`, not with \`${url.protocol}\`.`;
    }
    return /^(localhost|[\w-]+(\.[\w-]+)+):\d/.test(value)
      ? `${name} has no scheme. Write \`http://\` or \`https://\` before it.`
      : `${name} begins with \`${url.protocol}\`, and only \`https://\` and \`http://\` can be called.`;
  }
  if (url.username !== "" || url.password !== "") {
    return "A URL holds no credentials: they would show up in logs. Remove what stands before the `@`, and declare a connection instead.";
  }
  if (url.hash !== "" || value.endsWith("#"))
    return `${name} has a fragment (\`#…\`), which is never sent. Remove it.`;
  if (kind === "base" && (url.search !== "" || value.endsWith("?"))) {
    return `${name} has a query, and paths are appended to it. Remove what stands after the \`?\`.`;
  }
  return undefined;
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//…@");
}

function* eachUrl(
  file: GatewayFile,
): Generator<{ readonly value: string; readonly path: NodePath; readonly kind: UrlKind }> {
  if (file.server?.base_url !== undefined) {
    yield { value: file.server.base_url, path: ["server", "base_url"], kind: "base" };
  }
  for (const { provider, path } of eachProvider(file)) {
    const { openapi, graphql, rest, mcp } = provider.surfaces ?? {};
    const candidates: readonly (readonly [string | undefined, NodePath, UrlKind])[] = [
      [provider.mcp_url, ["mcp_url"], "url"],
      [openapi?.document, ["surfaces", "openapi", "document"], "document"],
      [openapi?.base_url, ["surfaces", "openapi", "base_url"], "base"],
      [graphql?.url, ["surfaces", "graphql", "url"], "url"],
      [graphql?.schema, ["surfaces", "graphql", "schema"], "document"],
      [rest?.base_url, ["surfaces", "rest", "base_url"], "base"],
      [mcp?.url, ["surfaces", "mcp", "url"], "url"],
    ];
    for (const [value, steps, kind] of candidates) {
      if (value !== undefined) yield { value, path: [...path, ...steps], kind };
    }
  }
  for (const { connection, path } of eachConnection(file)) {
    if (connection.auth?.type !== "oauth2") continue;
    for (const key of ["authorization_url", "token_url"] as const) {
      const value = connection.auth[key];
      if (value !== undefined) yield { value, path: [...path, "auth", key], kind: "url" };
    }
  }
}
