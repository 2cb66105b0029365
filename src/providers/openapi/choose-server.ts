import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { didYouMean } from "../../did-you-mean.ts";
import type { OpenApiSurface } from "../../model/config.ts";
import type { ApiServer } from "./model.ts";
import { shorten } from "./shorten.ts";

/** The server of an operation, before it is made absolute. */
export interface ChosenServer {
  /** Variables filled in, as far as they have values; may be relative. */
  readonly url: string;
  /** True when the configuration names this very URL, so that it counts as the operator's. */
  readonly isNamed: boolean;
}

/** Chooses among the servers of a document by what the configuration says. */
export interface ServerChooser {
  /** @param own the servers of the operation or its path; empty: it has those of the document. */
  choose(own: readonly ApiServer[]): ChosenServer | undefined;
  /** What the configuration says of servers and variables that are not there. With any of these, no operation may be offered. */
  readonly diagnostics: readonly Diagnostic[];
}

type Choices = Pick<OpenApiSurface, "server" | "serverVariables" | "baseUrl" | "place">;

/**
 * Makes the chooser of a document. A server is meant by its place in the list, or by its URL (with or without values in place of the
 * variables), its name or its description. Operations with servers of their own are sent to the first of those that fits, else to
 * their first.
 */
export function createServerChooser(
  { server: choice, serverVariables, baseUrl }: Choices,
  documentServers: readonly ApiServer[],
  own: readonly (readonly ApiServer[])[],
): ServerChooser {
  const fill = ({ url, variables }: ApiServer): string =>
    url.replace(/\{([^{}]+)\}/g, (expression: string, name: string) => {
      const variable = variables.get(name);
      const wanted = Object.hasOwn(serverVariables, name) ? serverVariables[name]?.value : undefined;
      const isPossible =
        wanted !== undefined && (!variable?.values.length || variable.values.includes(wanted));
      return (isPossible ? wanted : variable?.default) ?? expression;
    });
  const isMeant = (server: ApiServer): boolean => {
    if (typeof choice?.value !== "string") return false;
    const { url, name, description } = server;
    const texts = [name, description].map((text) => text?.toLowerCase());
    const isUrl = [url, fill(server)].map(withoutSlash).includes(withoutSlash(choice.value));
    return isUrl || texts.includes(choice.value.toLowerCase());
  };
  const finish = (server: ApiServer | undefined): ChosenServer | undefined => {
    if (server === undefined) return undefined;
    const url = fill(server);
    return {
      url,
      isNamed: typeof choice?.value === "string" && withoutSlash(choice.value) === withoutSlash(url),
    };
  };
  const numbered = typeof choice?.value === "number" ? documentServers[choice.value] : undefined;
  const meant = numbered ?? documentServers.find(isMeant);
  const main = finish(meant ?? documentServers[0]);
  const all = [documentServers, ...own];
  const diagnostics: Diagnostic[] = [];
  if (baseUrl === undefined) {
    const isFound = meant !== undefined || (documentServers.length === 0 && own.flat().some(isMeant));
    if (choice && !isFound) diagnostics.push(unknownServer(choice, all.flat(), fill));
    diagnostics.push(...checkVariables(serverVariables, all.flat()));
  } else {
    const places = [choice?.place, ...Object.values(serverVariables).map(({ place }) => place)];
    for (const place of places.filter((found) => found !== undefined)) {
      diagnostics.push({
        severity: "error",
        code: "unknown-server",
        message:
          "`base_url` replaces all servers of the document, so there is nothing to choose. Remove one of the two.",
        place,
      });
    }
  }
  return {
    choose: (servers) => (servers.length === 0 ? main : finish(servers.find(isMeant) ?? servers[0])),
    diagnostics,
  };
}

function unknownServer(
  { value, place }: NonNullable<OpenApiSurface["server"]>,
  servers: readonly ApiServer[],
  fill: (server: ApiServer) => string,
): Diagnostic {
  const shown = servers.slice(0, 5).map((server, index) => {
    const said = server.name ?? server.description;
    return `${index}: \`${fill(server)}\`${said === undefined ? "" : ` (${shorten(said, 60)})`}`;
  });
  const words = servers.flatMap(({ url, name, description }) => [url, name, description]);
  const known = [...new Set(words.filter((word) => word !== undefined))];
  const hint = typeof value === "string" ? didYouMean(value, known) : undefined;
  const listed =
    shown.length === 0
      ? "It lists none."
      : `It lists ${shown.join(", ")}${servers.length > shown.length ? " and others" : ""}.`;
  const suggestion = hint === undefined ? "" : ` Did you mean \`${hint}\`?`;
  const advice =
    typeof value === "string" && value.includes("://")
      ? " An address that the document does not list goes into `base_url`."
      : "";
  return {
    severity: "error",
    code: "unknown-server",
    message: `The document has no server \`${value}\`. ${listed}${suggestion}${advice}`,
    place,
  };
}

function* checkVariables(
  chosen: OpenApiSurface["serverVariables"],
  servers: readonly ApiServer[],
): Generator<Diagnostic> {
  const names = new Set(
    servers.flatMap(({ url }) => [...url.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? "")),
  );
  for (const [name, { value, place }] of Object.entries(chosen)) {
    const declared = servers.flatMap(({ variables }) => variables.get(name) ?? []);
    if (!names.has(name)) {
      const hint = didYouMean(name, [...names]);
      const suggestion = hint === undefined ? "" : ` Did you mean \`${hint}\`?`;
      const known = [...names].map((text) => `\`${text}\``).join(", ");
      yield {
        severity: "error",
        code: "unknown-server",
        message: `No server of the document has the variable \`${name}\`. ${known === "" ? "None has any." : `There ${names.size === 1 ? "is" : "are"} ${known}.`}${suggestion}`,
        place,
      };
      continue;
    }
    const values = [...new Set(declared.flatMap((variable) => variable.values))];
    const isPossible =
      declared.length === 0 || declared.some((variable) => isAllowed(variable.values, value));
    if (isPossible) continue;
    yield {
      severity: "error",
      code: "unknown-server",
      message: `The variable \`${name}\` of the document's servers can't be \`${value}\`, only ${values.map((text) => `\`${text}\``).join(", ")}.`,
      place,
    };
  }
}

function isAllowed(values: readonly string[], value: string): boolean {
  return values.length === 0 || values.includes(value);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
