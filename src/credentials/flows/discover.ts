import { GatewayError } from "../../errors.ts";
import type { ConnectionDiscovery } from "../../model/connection-config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonValue } from "../../model/json.ts";
import { revealed } from "../../secret.ts";
import type { HttpResponse } from "../../upstream/http-client.ts";
import { applyStored } from "../apply-auth.ts";
import { type FoundTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { Choice } from "./flow-record.ts";
import type { NewCredential } from "./keep-credential.ts";
import { isPlainText, plainText } from "./plain-text.ts";
import { memberAt, paramsFromItem, scalarText } from "./read-params.ts";

const mostBytes = 1024 * 1024;
const headersMilliseconds = 10_000;
const totalMilliseconds = 20_000;
const mostChoices = 200;
const mostCharacters = 200;

/**
 * What a new credential can be used for, as the upstream lists it: one or more.
 *
 * Throws `GatewayError`: `bad_request` where the upstream refuses the credential or lists nothing for it, `upstream_failed` for an
 * upstream that can't be reached or answers something else.
 */
export async function discover(
  parts: Pick<FlowParts, "http">,
  discovery: ConnectionDiscovery,
  { target, facts }: Omit<NewCredential, "previous">,
): Promise<readonly Choice[]> {
  const { connection, provider } = target;
  // Its own params are what it is about to find out.
  const params = connection.params.filter(({ fromDiscovery }) => fromDiscovery === undefined);
  const stored = { ...facts, reference: referenceOf(target), version: 1, recordVersion: 1 };
  const applied = applyStored({ ...connection, params }, stored);
  if (applied.kind === "unfit")
    throw new GatewayError("bad_request", `The credential can't be used: ${applied.reason}.`);
  const url = withQuery(discovery.url, applied.credential);
  const own = Object.entries(provider.headers).map(([name, value]) => [name.toLowerCase(), revealed(value)]);
  const response = await parts.http.request({
    method: "GET",
    url,
    headers: { accept: "application/json", ...Object.fromEntries(own), ...headersOf(applied.credential) },
    signal: AbortSignal.timeout(totalMilliseconds),
    maxBytes: mostBytes,
    headersTimeout: headersMilliseconds,
    bodyTimeout: headersMilliseconds,
  });
  const choices = readChoices(target, discovery, readAnswer(response, hostOf(url)), hostOf(url));
  if (choices.length > 0) return choices;
  throw new GatewayError(
    "bad_request",
    `${hostOf(url)} lists nothing that the credential could be used for. Check what the account has access to.`,
  );
}

function withQuery(url: string, { query }: Credential): string {
  const entries = Object.entries(query);
  if (entries.length === 0) return url;
  const full = new URL(url);
  for (const [name, value] of entries) full.searchParams.set(name, value.reveal());
  return full.href;
}

function headersOf({ headers, cookies }: Credential): Record<string, string> {
  const revealedHeaders = Object.entries(headers).map(([name, value]) => [name, value.reveal()]);
  const pairs = Object.entries(cookies ?? {}).map(([name, value]) => `${name}=${value.reveal()}`);
  return {
    ...Object.fromEntries(revealedHeaders),
    ...(pairs.length > 0 && { cookie: pairs.join("; ") }),
  };
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function readAnswer({ status, body }: HttpResponse, host: string): JsonValue {
  if (status === 401 || status === 403)
    throw new GatewayError(
      "bad_request",
      `The credential was refused by ${host} (HTTP ${status}). Check that it is the right one and may be used there.`,
    );
  const failed = (what: string): GatewayError =>
    new GatewayError(
      "upstream_failed",
      `${host} was asked what the credential can be used for and ${what}.`,
      {
        retryable: status >= 500 || status === 429,
      },
    );
  if (status < 200 || status > 299) throw failed(`answered with HTTP ${status}`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // The parser's own error quotes the answer.
    throw failed("answered with something that is no JSON");
  }
}

function readChoices(
  { connection }: FoundTarget,
  discovery: ConnectionDiscovery,
  answer: JsonValue,
  host: string,
): readonly Choice[] {
  const items = memberAt(answer, discovery.items);
  if (!isList(items))
    throw new GatewayError(
      "upstream_failed",
      `The answer of ${host} has no list of what a credential can be used for.`,
    );
  const choices = new Map<string, Choice>();
  for (const item of items) {
    const id = scalarText(memberAt(item, discovery.id));
    // Ids that look alike, or like nothing, can't be chosen between.
    if (id === undefined || !isPlainText(id, mostCharacters) || choices.has(id)) continue;
    const label = plainText(scalarText(memberAt(item, discovery.label)) ?? "", mostCharacters);
    choices.set(id, { id, label: label === "" ? id : label, params: paramsFromItem(connection, item) });
    if (choices.size === mostChoices) break;
  }
  return [...choices.values()];
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
