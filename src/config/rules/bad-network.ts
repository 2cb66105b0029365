import { readNetwork } from "../../network-form.ts";
import type { Finding, Rule } from "../rule.ts";

/** Proxies are trusted by address: whoever can answer for a name could say where others come from. */
export const badNetwork: Rule = function* (file, look): Generator<Finding> {
  for (const [index, written] of (file.server?.trusted_proxies ?? []).entries()) {
    if (readNetwork(written) !== undefined) continue;
    const path = ["server", "trusted_proxies", index];
    yield {
      code: "bad-network",
      message: `\`${look.written(path)}\` is no address and no network. Write \`10.0.0.1\`, \`10.0.0.0/8\`, \`fd00::1\` or \`fd00::/8\`.`,
      path,
    };
  }
};
