import { GatewayError } from "../../errors.ts";
import type { Principal } from "../../model/principal.ts";
import { createConnectUrl } from "../connect-url.ts";
import { defaultInstance } from "../owner.ts";
import type { FoundTarget } from "./find-target.ts";

/** A path on the gateway's own connect page, as URLs write it: nothing that a browser could take for another host. */
const own = /^\/connect(?:\/[\w-]+)*(?:\?[\w!$&'()*+,;=:@%./?~-]*)?$/;
const longest = 2_000;

/** Where somebody wants to go on afterwards; `undefined`: nowhere in particular. Throws `bad_request` for anything but a page of ours. */
export function readReturnTo(path: string | undefined): string | undefined {
  if (path === undefined || (path.length <= longest && own.test(path))) return path;
  throw new GatewayError("bad_request", "`return_to` has to be a path on the gateway's own page `/connect`.");
}

/** The path of the page for a target. */
export function pageOf(as: Principal, { provider, connection, instance, owner }: FoundTarget): string {
  return createConnectUrl(() => "")({
    provider: provider.name,
    connection: connection.name,
    instance: instance === defaultInstance ? undefined : instance,
    tenant: owner.owner.kind === "gateway" || as.tenant === as.home ? undefined : as.tenant,
  });
}
