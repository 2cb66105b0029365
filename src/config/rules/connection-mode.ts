import type { Connection } from "../../model/config-file.generated.ts";
import { eachConnection } from "../each-connection.ts";
import type { Finding, Rule } from "../rule.ts";

/** Whose credential is used, and how it authenticates, have to go together. */
export const connectionMode: Rule = function* (file): Generator<Finding> {
  for (const { name, connection, path } of eachConnection(file)) {
    const message = refusal(name, connection);
    if (message === undefined) continue;
    yield {
      code: "connection-mode",
      message,
      path: [...path, "mode"],
      dependsOn: [
        [...path, "auth"],
        [...path, "auth", "type"],
        [...path, "auth", "grant"],
      ],
    };
  }
};

function refusal(name: string, { mode, auth }: Connection): string | undefined {
  const type = auth?.type;
  if (mode === "none") {
    if (type === undefined || type === "none") return undefined;
    return `With \`mode: none\` nobody's credential is used, yet \`${name}\` authenticates by \`${type}\`. Choose the mode \`user\`, \`tenant\`, \`identity\` or \`either\`, or remove \`auth\`.`;
  }
  if (type === undefined) {
    return `With \`mode: ${mode}\` the connection \`${name}\` needs \`auth\`, such as \`auth: {type: bearer}\`. Without authentication the mode is \`none\`.`;
  }
  if (type === "none") {
    return `With \`auth.type: none\` there is no credential that \`mode: ${mode}\` could choose. Write \`mode: none\`, or another type.`;
  }
  if (type === "passthrough" && mode !== "user") {
    return `A \`passthrough\` header comes from the caller, so its mode is \`user\`, not \`${mode}\`.`;
  }
  if (auth?.type === "oauth2" && auth.grant === "client_credentials" && mode !== "identity") {
    return `With \`grant: client_credentials\` the gateway gets tokens for itself, so the mode is \`identity\`, not \`${mode}\`. Remove \`grant\` if somebody signs in.`;
  }
  return undefined;
}
