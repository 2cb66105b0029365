import { GatewayError } from "./errors.ts";

type Params = Readonly<Record<string, string>> | undefined;

/** The form that names of params have in the file; other braces are written as they are. */
const placeholder = /\{([a-z][a-z0-9_]{0,62})\}/g;
/** One label of a host (RFC 1123 section 2.1, RFC 1035 section 2.3.4). */
const labelForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const longestValue = 500;

/**
 * Puts the values of a connection into a URL that the file names with `{name}` in it: as a part of one label of the host, or of one
 * segment of the path, encoded. Whatever the values hold, everything that is written stays as it is, and nothing comes to it but that
 * part. A URL without names in braces comes back as it is.
 *
 * Throws `bad_request` for a value that is not there or can't stand where it has to go, and `internal`, for the operator, where a name
 * stands anywhere else than in the host or the path.
 */
export function fillUrl(template: string, params: Params): string {
  if (!hasNames(template)) return template;
  const [, scheme, authority, path, rest] =
    /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)([^?#]*)(.*)$/is.exec(template) ?? [];
  const [, user = "", host, port = ""] = /^(.*@)?(\[[^\]]*\]|[^:[\]]*)(:.*)?$/s.exec(authority ?? "") ?? [];
  if (scheme === undefined || host === undefined || path === undefined || rest === undefined)
    throw misplaced(template);
  if ([user, port, rest].some(hasNames) || (host.startsWith("[") && hasNames(host)))
    throw misplaced(template);
  const filledHost = host.split(".").map((label) => fillLabel(label, params));
  const filledPath = path.split("/").map((segment) => fillSegment(segment, params));
  const filled = `${scheme}${user}${filledHost.join(".")}${port}${filledPath.join("/")}${rest}`;
  assertKept(filled, template, host, filledHost);
  return filled;
}

/** The same for what holds an address among other things; without braces the very same object. */
export function fillBaseUrl<Target extends { readonly baseUrl: string }>(
  target: Target,
  params: Params,
): Target {
  return target.baseUrl.includes("{") ? { ...target, baseUrl: fillUrl(target.baseUrl, params) } : target;
}

/** Host and port of an address as people should read it, where it may have placeholders. */
export function hostOf(template: string): string {
  return (
    URL.parse(template)?.host ??
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(template)?.[1] ??
    template
  );
}

function fillLabel(label: string, params: Params): string {
  if (!hasNames(label)) return label;
  const filled = label.replace(placeholder, (_all, name: string) => {
    const value = paramOf(name, params);
    if (/^[a-z0-9-]+$/i.test(value)) return value;
    throw unsuited(name, "may only hold letters, digits and hyphens, because it is part of a host");
  });
  if (labelForm.test(filled)) return filled;
  throw unsuited(
    namesIn(label),
    "makes no part of a host: that is 63 characters at most and has no hyphen at its ends",
  );
}

function fillSegment(segment: string, params: Params): string {
  if (!hasNames(segment)) return segment;
  const plain = segment.replace(placeholder, (_all, name: string) => {
    const value = paramOf(name, params);
    // The escapes too: some servers decode what they are sent more than once.
    if (/[/\\]|%(?:2e|2f|5c|25)/i.test(value))
      throw unsuited(name, "must not hold slashes, because it is one segment of a path");
    if (!value.isWellFormed()) throw unsuited(name, "holds half a character");
    return value;
  });
  // Also with what is written around the value.
  if (/^\.{1,2}$/.test(plain.replace(/%2e/gi, ".")))
    throw unsuited(namesIn(segment), "must not make a path segment `.` or `..`");
  return segment.replace(placeholder, (_all, name: string) => encodeSegment(paramOf(name, params)));
}

/** Everything but the unreserved characters of RFC 3986 section 2.3 is written as an escape. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function paramOf(name: string, params: Params): string {
  const value = params !== undefined && Object.hasOwn(params, name) ? params[name] : undefined;
  if (value === undefined || value === "") {
    throw new GatewayError(
      "bad_request",
      `The address of this provider needs \`${name}\`, which the connection does not have. Connect it again and fill \`${name}\` in.`,
    );
  }
  if (value.length > longestValue) throw unsuited(name, `is longer than ${longestValue} characters`);
  return value;
}

/** The last check, on the finished URL as a URL parser sees it: a host that is read as a number leads somewhere else. */
function assertKept(filled: string, template: string, host: string, filledHost: readonly string[]): void {
  const url = URL.parse(filled);
  const harmless = URL.parse(template.replace(placeholder, "x"));
  // As the parser writes what is fixed: an international name has another spelling.
  const fixed = harmless?.hostname.split(".") ?? [];
  const labels = host
    .split(".")
    .map((label, index) => (hasNames(label) ? filledHost[index]?.toLowerCase() : fixed[index]));
  const parts = ["protocol", "username", "password", "port", "search", "hash"] as const;
  const isKept =
    url !== null &&
    harmless !== null &&
    // An address in brackets has no labels.
    url.hostname === (hasNames(host) ? labels.join(".") : harmless.hostname) &&
    parts.every((part) => url[part] === harmless[part]) &&
    url.pathname.split("/").length === harmless.pathname.split("/").length;
  if (!isKept) throw unsuited(namesIn(template), "does not fit into the provider's address");
}

function hasNames(text: string): boolean {
  return text.includes("{") && text.search(placeholder) !== -1;
}

function namesIn(text: string): string {
  return [...text.matchAll(placeholder)].map(([, name]) => name).join(", ");
}

function unsuited(name: string, problem: string): GatewayError {
  return new GatewayError(
    "bad_request",
    `The connection's \`${name}\` ${problem}, so nothing was sent. Connect it again with another value.`,
  );
}

function misplaced(template: string): GatewayError {
  return new GatewayError(
    "internal",
    `The address of a provider has \`{${namesIn(template)}}\` where no value of a connection may stand: only in the host and the path. Whoever runs the gateway can mend it in the configuration file.`,
  );
}
