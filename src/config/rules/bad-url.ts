import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import { eachIssuerUrl } from "../each-issuer-url.ts";
import { referenceMeant } from "../foreign-reference.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";
import {
  eachSurfaceUrl,
  fillPlaceholders,
  hasFixedService,
  paramForm,
  placeholdersOf,
} from "../surface-urls.ts";

/** `url`: anything that can be called. `base`: something is appended to it. `document`: a path is fine too. `name`: never called. */
type UrlKind = "url" | "base" | "document" | "name";

/** Addresses are http or https, hold no credentials, and leave room for what is appended to them. */
export const badUrl: Rule = function* (file, look): Generator<Finding> {
  for (const url of eachUrl(file)) {
    const { value, path, kind } = url;
    if (kind === "document" && !/^[a-z][a-z0-9+.-]+:/i.test(value)) continue;
    const name = look.isReference(path) ? "This" : `\`${withoutCredentials(look.written(path))}\``;
    const message = placeholderRefusal(url, name) ?? refusal(filled(url), kind, name);
    if (message !== undefined) yield { code: "bad-url", message, path, ...dependenciesOf(url) };
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
  if (kind === "name") {
    return URL.canParse(value) && !value.includes("#")
      ? undefined
      : `${name} is not an absolute URI without a fragment, as the name of a resource has to be (RFC 8707).`;
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

/** Placeholders are filled from the params of the connection that is used there, where a value can't become something else. */
function placeholderRefusal({ value, slots }: FileUrl, name: string): string | undefined {
  if (slots === undefined || slots.length === 0 || referenceMeant(value) !== undefined) return undefined;
  for (const placeholder of placeholdersOf(value)) {
    if (!paramForm.test(placeholder.name)) continue;
    const missing = slots.find(({ params }) => !params.includes(placeholder.name));
    if (missing !== undefined) {
      return `${name} holds \`{${placeholder.name}}\`, and the connection \`${missing.connection}\` has no such param. Declare it there (\`params: {${placeholder.name}: {label: …}}\`), or write the real address.`;
    }
    if (placeholder.where === "elsewhere") {
      return `${name} holds \`{${placeholder.name}}\` where no param can stand: only in the name of the host and in the path.`;
    }
    if (placeholder.where === "host" && !hasFixedService(value)) {
      return `In ${name === "This" ? "this URL" : name} whoever connects would choose the whole host by \`{${placeholder.name}}\`. Fix the end of the host, as in \`https://{${placeholder.name}}.example.com\`.`;
    }
  }
  return undefined;
}

function filled({ value, slots }: FileUrl): string {
  return slots === undefined || slots.length === 0 || placeholdersOf(value).length === 0
    ? value
    : fillPlaceholders(value);
}

function dependenciesOf({ slots }: FileUrl): Pick<Finding, "dependsOn"> {
  return slots === undefined ? {} : { dependsOn: slots.map(({ path }) => [...path, "params"]) };
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//…@");
}

interface FileUrl {
  readonly value: string;
  readonly path: NodePath;
  readonly kind: UrlKind;
  /** The connections whose params may stand in it; absent: none may. */
  readonly slots?: readonly {
    readonly connection: string;
    readonly path: NodePath;
    readonly params: readonly string[];
  }[];
}

function* eachUrl(file: GatewayFile): Generator<FileUrl> {
  if (file.server?.base_url !== undefined) {
    yield { value: file.server.base_url, path: ["server", "base_url"], kind: "base" };
  }
  for (const { value, path, isIssuer } of eachIssuerUrl(file)) {
    yield { value, path, kind: isIssuer ? "base" : "url" };
  }
  for (const { provider, path } of eachProvider(file)) {
    const { openapi, graphql } = provider.surfaces ?? {};
    if (openapi !== undefined) {
      const documentPath = [...path, "surfaces", "openapi", "document"];
      yield { value: openapi.document, path: documentPath, kind: "document" };
    }
    if (graphql?.schema !== undefined) {
      yield { value: graphql.schema, path: [...path, "surfaces", "graphql", "schema"], kind: "document" };
    }
    for (const { connections, ...url } of eachSurfaceUrl(provider, path)) {
      const slots = connections.map((connection) => ({
        connection,
        path: [...path, "connections", connection],
        params: Object.keys(provider.connections?.[connection]?.params ?? {}),
      }));
      yield { ...url, slots };
    }
  }
  for (const { connection, path } of eachConnection(file)) {
    const { auth, discovery } = connection;
    if (auth?.type === "oauth2") {
      for (const key of ["authorization_url", "token_url", "revocation_url", "issuer"] as const) {
        const value = auth[key];
        if (value !== undefined) yield { value, path: [...path, "auth", key], kind: "url" };
      }
    }
    if (auth?.type === "oauth2" && auth.resource !== undefined) {
      yield { value: auth.resource, path: [...path, "auth", "resource"], kind: "name" };
    }
    if (auth?.type === "mcp_oauth" && auth.client_metadata_url !== undefined) {
      const metadataPath = [...path, "auth", "client_metadata_url"];
      yield { value: auth.client_metadata_url, path: metadataPath, kind: "url" };
    }
    if (discovery !== undefined) {
      yield { value: discovery.url, path: [...path, "discovery", "url"], kind: "url" };
    }
  }
}
