import type { Finding, Rule } from "../rule.ts";

/** A client has an id that can be sent, and a secret that it can send. */
export const badClient: Rule = function* ({ auth }, look): Generator<Finding> {
  for (const [id, client] of Object.entries(auth?.authorization_server?.clients ?? {})) {
    const path = ["auth", "authorization_server", "clients", id];
    if (!/^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/.test(id)) {
      const shown = id.length > 40 ? `${id.slice(0, 39)}…` : id;
      const isAddress = /^https?:/i.test(id)
        ? " Clients whose id is an address need no entry: the document there describes them (`client_id_metadata`)."
        : "";
      yield {
        code: "bad-client",
        message: `\`${shown}\` can't be a client id: it is letters, digits, \`.\`, \`_\`, \`~\` and \`-\`, at most 100 of them, and begins with a letter or a digit.${isAddress}`,
        path,
        target: "key",
      };
    }
    const secretPath = [...path, "client_secret"];
    // One that stands in the file itself is refused for that.
    if (client.client_secret === undefined || !look.isReference(secretPath)) continue;
    const kind = hashKind(client.client_secret);
    if (kind !== undefined) {
      yield {
        severity: kind === "maybe" ? "information" : "warning",
        code: "bad-client",
        message:
          kind === "maybe"
            ? "What this stands for may be the SHA-256 hash of a secret (64 hexadecimal digits). If it is, put the secret itself there: the gateway hashes it on its own, and clients send the secret."
            : `What this stands for is the hash of a secret (${kind}), and clients send the secret itself. Put the secret there.`,
        path: secretPath,
      };
    }
  }
};

/** What hash a text is by its looks; `maybe` where a secret may look so as well. */
function hashKind(secret: string): string | undefined {
  if (/^\$argon2(i|d|id)\$/.test(secret)) return "argon2";
  if (/^\$2[abxy]\$\d\d\$/.test(secret)) return "bcrypt";
  if (/^\$[156y]\$|^\$scrypt\$|^\$pbkdf2/.test(secret)) return "crypt";
  if (/^\{?(s?sha(1|-?256|-?384|-?512)?|md5)[}:$]/i.test(secret)) return "SHA";
  return /^[0-9a-f]{64}$/i.test(secret) ? "maybe" : undefined;
}
