import type { ConnectionConfig } from "../../model/connection-config.ts";
import type { FormField } from "../../model/connections.ts";
import { mayBeEmpty } from "./connect-manual.ts";
import { typedParams } from "./read-params.ts";

/** What people type in besides the credential itself. */
export function paramFields(connection: ConnectionConfig): readonly FormField[] {
  return typedParams(connection).map(({ name, label, description, required, default: otherwise }) => {
    return { name, label, description, secret: false, required, default: otherwise };
  });
}

/** What people type in as the credential; nothing where it comes from an authorization. */
export function credentialFields({ auth }: ConnectionConfig): readonly FormField[] {
  if (auth.type !== "bearer" && auth.type !== "manual") return [];
  return auth.fields.map((field) => {
    const { name, label, description, target } = field;
    const secret = !(target.in === "basic" && target.part === "username");
    return { name, label, description, secret, required: !mayBeEmpty(field), default: undefined };
  });
}
