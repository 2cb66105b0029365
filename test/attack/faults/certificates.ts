import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { fileURLToPath } from "node:url";

const folder = new URL("../../upstream/certificates/", import.meta.url);

/** The certificate that gateways under test trust. */
export const trustedCertificate = fileURLToPath(new URL("self-signed.pem", folder));

/** A server's side of TLS with one of the certificates. */
export function secureContext(name: string): SecureContext {
  const read = (file: string): string => readFileSync(new URL(`${file}.pem`, folder), "utf8");
  return createSecureContext({ key: read("key"), cert: read(name) });
}
