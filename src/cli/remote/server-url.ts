import { isLoopback } from "../../loopback.ts";
import { UsageError } from "../usage-error.ts";

/**
 * The address of a gateway as somebody wrote it, as a URL that ends with `/`. Throws `UsageError` for what is none and, unless
 * `insecure`, for an address that credentials would travel to unencrypted.
 */
export function parseServerUrl(text: string, insecure: boolean): URL {
  const example = "Write it like `https://gateway.example.com`.";
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new UsageError(`the server is no http:// or https:// address. ${example}`);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new UsageError(`the server's address has more than host, port and path. ${example}`);
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecure) {
    throw new UsageError(
      `${url.origin} is not encrypted: everybody on the way could read the credential. Use https://, or say \`--insecure\` if the way there is safe.`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  if (url.pathname.endsWith("/mcp/")) {
    const gateway = url.href.slice(0, -"/mcp/".length);
    throw new UsageError(`that is the address for MCP clients. Write it without \`mcp\`: \`${gateway}\`.`);
  }
  return url;
}
