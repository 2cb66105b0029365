/** Longest redirect URI that anybody may have, in characters. */
export const longestRedirectUri = 2048;

/** What `http://` redirect URIs may name as their host: this machine, written so that nothing has to be looked up or folded. */
const loopbackHosts: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];

/** Schemes that run, show, send or fetch something in place of handing a code to the program that asked for it. */
const harmfulSchemes: ReadonlySet<string> = new Set([
  ...["javascript", "vbscript", "livescript", "data", "blob", "about", "file", "filesystem", "view-source"],
  ...["http", "https", "ws", "wss", "ftp", "ftps", "sftp", "ssh", "telnet", "gopher", "ldap", "ldaps", "smb"],
  ...["mailto", "tel", "sms", "sip", "sips", "geo", "market", "intent", "urn", "jar", "cid", "mid", "tag"],
  ...["chrome", "chrome-extension", "moz-extension", "edge", "opera", "brave", "resource", "devtools"],
  ...[
    "ms-msdt",
    "ms-settings",
    "ms-appinstaller",
    "search-ms",
    "shell",
    "res",
    "mk",
    "ms-its",
    "itms-services",
  ],
]);

/**
 * What is wrong with a text as the private-use URI scheme of redirect URIs (RFC 8252, section 7.1), as a sentence for people;
 * `undefined` when nothing is.
 */
export function problemOfRedirectScheme(scheme: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]{0,62}$/.test(scheme)) {
    return /^[a-z][a-z0-9+.-]{0,62}:(\/\/)?$/.test(scheme)
      ? `A scheme is named without what follows it: write \`${scheme.replace(/:.*$/, "")}\`.`
      : "A scheme is lower-case letters, digits, `+`, `-` and `.`, and begins with a letter, as in `cursor`.";
  }
  if (scheme === "http" || scheme === "https") {
    return `\`${scheme}\` is not a private-use scheme. Redirect URIs over https, and over http to this machine, are allowed anyway.`;
  }
  return harmfulSchemes.has(scheme)
    ? `\`${scheme}:\` does not hand a code to a program, and can harm who follows it. No redirect URI may have it.`
    : undefined;
}

/**
 * What is wrong with a text as a redirect URI of an OAuth client, as a sentence for people; `undefined` when nothing is. It may be registered
 * then, and is compared to the letter afterwards. The sentence is printable ASCII without quotes and backslashes, so that it fits
 * an `error_description` (RFC 6749, section 5.2), and repeats nothing of the text but its scheme and host.
 *
 * Allowed are `https://`, `http://` to a loopback host (RFC 8252, section 7.3), and private-use schemes by name. All have to be written as
 * every parser reads them: what one program takes for a path, another one must not take for a host.
 *
 * @param schemes private-use schemes that are allowed, in lower case, without the colon.
 */
export function problemOfRedirectUri(uri: string, schemes: readonly string[]): string | undefined {
  return problemOfText(uri) ?? problemOfAddress(uri, schemes);
}

function problemOfText(uri: string): string | undefined {
  if (uri === "") return "The redirect URI is empty.";
  if (uri.length > longestRedirectUri) {
    return `The redirect URI has ${uri.length} characters, and ${longestRedirectUri} is the most.`;
  }
  if (!/^[\x21-\x7e]+$/.test(uri)) {
    return "The redirect URI has spaces, control characters or letters beyond ASCII. Percent-encode them, and write the host in its ASCII form (xn--...).";
  }
  if (uri.includes("#")) {
    return "The redirect URI has a fragment, which RFC 6749 (section 3.1.2) does not allow. Remove the # and what follows it.";
  }
  if (uri.includes("\\"))
    return "The redirect URI has a backslash, which programs read differently. Write /.";
  if (/["<>^`{|}]/.test(uri)) {
    return "The redirect URI has a character that has to be percent-encoded in a URI.";
  }
  if (/%(?![0-9a-f]{2})/i.test(uri)) return "The redirect URI has a % that begins no percent-encoding.";
  if (/%(?:[01][0-9a-f]|7f)/i.test(uri)) return "The redirect URI has an encoded control character.";
  return undefined;
}

function problemOfAddress(uri: string, schemes: readonly string[]): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1];
  if (scheme === undefined) {
    return "The redirect URI is not absolute. It begins with https://, or with http:// for a loopback address.";
  }
  if (scheme === "https" || scheme === "http") return problemOfWebAddress(uri, scheme);
  const shown = clip(scheme);
  if (scheme !== scheme.toLowerCase()) return `The scheme \`${shown}\` has to be written in lower case.`;
  if (harmfulSchemes.has(scheme)) return `A redirect URI can't have the scheme \`${shown}\`.`;
  if (!schemes.includes(scheme)) {
    return `The scheme \`${shown}\` is not allowed here. Use https://, http:// with a loopback address, or ask the gateway's operator to add it to auth.authorization_server.redirect_schemes.`;
  }
  return problemOfPrivateUse(uri, scheme);
}

function problemOfWebAddress(uri: string, scheme: "http" | "https"): string | undefined {
  const [, authority, path = ""] = /^https?:\/\/([^/?]*)([^?]*)/.exec(uri) ?? [];
  if (authority === undefined || authority === "") {
    return `The redirect URI has no host. Exactly two slashes and a host follow ${scheme}:.`;
  }
  const problem = problemOfAuthority(authority);
  if (problem !== undefined) return problem;
  const [, host = "", port] = /^(.*?)(?::(\d*))?$/.exec(authority) ?? [];
  if (port !== undefined && !/^[1-9]\d{0,4}$/.test(port))
    return "The port of the redirect URI is not a number from 1 to 65535.";
  const parsed = URL.parse(uri);
  if (parsed === null) return "The redirect URI is not a URL. Check its host and port.";
  // Programs fold many spellings (0x7f.1, 127.1, capital letters) into one host; only the one that all of them agree on is accepted.
  if (parsed.hostname !== host || !isHostForm(host)) {
    return `The host \`${clip(host)}\` of the redirect URI is written unusually. Write a lower-case host name, four decimal numbers, or an IPv6 address in its shortest form.`;
  }
  if (scheme === "http" && !loopbackHosts.includes(host)) {
    return `The redirect URI sends codes to \`${clip(host)}\` unencrypted. Use https://; http:// is for 127.0.0.1, [::1] and localhost only.`;
  }
  return problemOfPath(path, parsed.pathname);
}

function problemOfPrivateUse(uri: string, scheme: string): string | undefined {
  const rest = uri.slice(scheme.length + 1);
  if (!rest.startsWith("/")) {
    return `After \`${clip(scheme)}:\` the redirect URI needs a slash, as in \`${clip(scheme)}://callback\` or \`${clip(scheme)}:/callback\` (RFC 8252, section 7.1).`;
  }
  const [, authority, path = ""] = /^(?:\/\/([^/?]*))?([^?]*)/.exec(rest) ?? [];
  if ((authority ?? "") === "" && /^\/*$/.test(path)) {
    return "The redirect URI names no place behind its scheme.";
  }
  if (authority !== undefined && authority !== "") {
    const problem = problemOfAuthority(authority);
    if (problem !== undefined) return problem;
    if (!/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i.test(authority)) {
      return "What stands behind the two slashes of the redirect URI has to be letters, digits, `.`, `_` and `-`.";
    }
  }
  const parsed = URL.parse(uri);
  if (parsed === null) return "The redirect URI can't be read as a URI.";
  return problemOfPath(path, parsed.pathname);
}

function problemOfAuthority(authority: string): string | undefined {
  if (authority.includes("@"))
    return "The redirect URI has a user name or password before its host. Remove what stands before the @.";
  if (authority.includes("*"))
    return "The redirect URI has a wildcard in its host. Each host has to be registered as it is.";
  if (authority.includes("%"))
    return "The redirect URI has a percent-encoded character in its host. Write the host plainly.";
  return undefined;
}

function problemOfPath(path: string, parsed: string): string | undefined {
  if (path.includes("*"))
    return "The redirect URI has a wildcard in its path. It is compared to the letter: register each address as it is.";
  if (/%(?:2e|2f|5c)/i.test(path))
    return "The redirect URI has an encoded dot, slash or backslash in its path.";
  // Also `.` and `..`, which parsers remove.
  if (parsed !== path && !(path === "" && parsed === "/"))
    return "The redirect URI has a path that programs read differently, such as one with `..`. Write it in its shortest form.";
  return /\/\//.test(path) ? "The redirect URI has two slashes in a row in its path." : undefined;
}

/** A name of labels, an IPv4 address, or an IPv6 address in brackets. */
function isHostForm(host: string): boolean {
  return (
    /^\[[0-9a-f:]+\]$/.test(host) ||
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(host)
  );
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
