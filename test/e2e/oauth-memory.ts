import { randomBytes } from "node:crypto";

/** What a client keeps of a registration or of its own. */
interface KeptInformation {
  readonly client_id: string;
}

/** What a client keeps of its tokens. */
interface KeptTokens {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
}

/** What a client says of itself. */
export interface ClientSelf {
  readonly redirectUrl: string;
  /** Of a client ID metadata document; where the server takes such. */
  readonly clientMetadataUrl?: string;
  /** What the operator gave to it in place of a registration. */
  readonly information?: KeptInformation & { readonly client_secret?: string };
  /** Further members of its metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * The `OAuthClientProvider` of a program that keeps everything in memory and leaves the browser to the test; the interfaces of both
 * lines of the SDK fit.
 */
export class OAuthMemory<Information extends KeptInformation, Tokens extends KeptTokens, Discovery> {
  /** Where the browser was sent, the latest last. */
  readonly asked: URL[] = [];
  readonly redirectUrl: string;
  readonly clientMetadata: { client_name: string; redirect_uris: string[]; [member: string]: unknown };
  readonly clientMetadataUrl?: string;
  kept: Information | undefined;
  keptTokens: Tokens | undefined;
  private verifier = "";
  private discovery: Discovery | undefined;

  constructor(self: ClientSelf, information?: Information) {
    this.redirectUrl = self.redirectUrl;
    if (self.clientMetadataUrl !== undefined) this.clientMetadataUrl = self.clientMetadataUrl;
    this.clientMetadata = {
      client_name: "A client of the SDK",
      redirect_uris: [self.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      ...self.metadata,
    };
    this.kept = information;
  }

  state(): string {
    return randomBytes(16).toString("base64url");
  }

  clientInformation(): Information | undefined {
    return this.kept;
  }

  saveClientInformation(information: Information): void {
    this.kept = information;
  }

  tokens(): Tokens | undefined {
    return this.keptTokens;
  }

  saveTokens(tokens: Tokens): void {
    this.keptTokens = tokens;
  }

  redirectToAuthorization(url: URL): void {
    this.asked.push(url);
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier;
  }

  saveDiscoveryState(state: Discovery): void {
    this.discovery = state;
  }

  discoveryState(): Discovery | undefined {
    return this.discovery;
  }

  invalidateCredentials(scope: "all" | "client" | "tokens" | "verifier" | "discovery"): void {
    if (scope === "all" || scope === "client") this.kept = undefined;
    if (scope === "all" || scope === "tokens") this.keptTokens = undefined;
    if (scope === "all" || scope === "discovery") this.discovery = undefined;
  }
}
