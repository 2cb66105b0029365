import { randomBytes } from "node:crypto";
import { type Exchange, sendJson } from "./exchange.ts";
import { OAuthFailure } from "./grants.ts";
import { type AuthorizationServerOptions, defaultClient, type KnownClient } from "./model.ts";

/** The clients that one server knows: those of its options, those that registered, and those of documents. */
export class Clients {
  readonly #settings: () => AuthorizationServerOptions;
  readonly #registered = new Map<string, KnownClient>();

  constructor(settings: () => AuthorizationServerOptions) {
    this.#settings = settings;
  }

  get registered(): readonly KnownClient[] {
    return [...this.#registered.values()];
  }

  register(client: KnownClient): void {
    this.#registered.set(client.id, client);
  }

  /** Forgets those that registered, as servers do now and then. */
  forget(): void {
    this.#registered.clear();
  }

  async find(id: string): Promise<KnownClient | undefined> {
    const settings = this.#settings();
    const known = (settings.clients ?? [defaultClient]).find((client) => client.id === id);
    if (known !== undefined) return known;
    const registered = this.#registered.get(id);
    if (registered !== undefined) return registered;
    if (settings.clientIdMetadata !== true || !/^https?:\/\//.test(id)) return undefined;
    const document = await (settings.fetchDocument ?? fetchDocument)(id);
    if (!isRecord(document) || document["client_id"] !== id) return undefined;
    return { id, auth: "none", redirectUris: texts(document["redirect_uris"]) };
  }

  /** The client of a request to the token or revocation endpoint, RFC 6749 section 2.3. */
  async authenticate({ request }: Exchange): Promise<KnownClient> {
    const header = request.headers["authorization"];
    const { client_id: id, client_secret: secret } = request.parameters;
    if (header !== undefined) {
      if (secret !== undefined) throw new OAuthFailure("invalid_request", "client authenticates twice");
      const pair = /^Basic ([A-Za-z0-9+/=]+)$/.exec(header)?.[1];
      const [name, password] = Buffer.from(pair ?? "", "base64")
        .toString("utf8")
        .split(":", 2);
      if (name === undefined || password === undefined) throw refusal();
      if (id !== undefined && id !== formDecode(name)) throw refusal();
      return this.#check(formDecode(name), formDecode(password), "header");
    }
    if (id === undefined) throw refusal();
    return this.#check(id, secret, secret === undefined ? "none" : "body");
  }

  async #check(
    id: string,
    secret: string | undefined,
    method: "header" | "body" | "none",
  ): Promise<KnownClient> {
    const client = await this.find(id);
    if (client === undefined || client.secret !== secret) throw refusal();
    if (client.auth !== undefined && client.auth !== method) throw refusal();
    return client;
  }
}

/** RFC 7591. */
export function register({ request, response, settings, clients }: Exchange): void {
  if (request.method !== "POST" || !/^application\/json/.test(request.headers["content-type"] ?? ""))
    throw new OAuthFailure("invalid_client_metadata", "a JSON document is needed");
  const metadata: unknown = JSON.parse(request.body);
  const redirectUris = isRecord(metadata) ? texts(metadata["redirect_uris"]) : [];
  if (!isRecord(metadata) || redirectUris.length === 0)
    throw new OAuthFailure("invalid_redirect_uri", "redirect_uris is needed");
  const asked = metadata["token_endpoint_auth_method"] ?? "client_secret_basic";
  const method = settings.registration === "secrets" ? asked : "none";
  const id = `client_${randomBytes(8).toString("hex")}`;
  const secret = method === "none" ? undefined : `secret_${randomBytes(16).toString("hex")}`;
  const auth = method === "none" ? "none" : method === "client_secret_post" ? "body" : "header";
  clients.register({ id, secret, auth, redirectUris });
  sendJson(response, 201, {
    ...metadata,
    client_id: id,
    token_endpoint_auth_method: method,
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
  });
}

function refusal(): OAuthFailure {
  return new OAuthFailure("invalid_client", "unknown client, or it did not authenticate", 401);
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

async function fetchDocument(url: string): Promise<unknown> {
  const response = await fetch(url, { redirect: "error" });
  return response.ok ? await response.json() : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
