/**
 * Which credential a call uses, as data: for every surface, every way in which a connection is declared, every mode, and whatever may be
 * stored. The upstream tells the credentials apart by the tokens that it sees.
 *
 * In a row, `stored` names credentials: `user` is the caller's own in the tenant that it acts in, `tenant` the shared one there, `other`
 * that of another user of the tenant, `foreign` the caller's in another tenant, `elsewhere` what another tenant shares, `gateway` the
 * gateway's own, `decoy` the caller's and the tenant's on another connection of the provider. `/NAME` is the instance, `default` without
 * one; `!` says that it has to be connected anew.
 */
export interface SelectionRow {
  /** Unique: what the row is about. */
  readonly name: string;
  readonly provider: SelectionProvider;
  readonly stored: readonly StoredSlot[];
  /** The arguments `_connection` and `_instance` of the call. */
  readonly connection: string | undefined;
  readonly instance: string | undefined;
  /** What stands in the header {@link passedHeader} of the caller's request. */
  readonly header: string | undefined;
  readonly expected: Expectation;
}

export type Expectation =
  /** The upstream sees this token; `undefined`: none at all. */
  | { readonly kind: "token"; readonly token: string | undefined }
  | { readonly kind: "error"; readonly code: string; readonly instances: readonly string[] | undefined };

/** One provider of the configuration. Rows that differ only in what callers do share one. */
export interface SelectionProvider {
  readonly name: string;
  readonly surface: Surface;
  readonly declared: Declared;
  readonly kind: Kind;
  /** The connection that the operation comes to; `undefined`: none is declared. */
  readonly bound: string | undefined;
  /** State of the gateway's own credential, which all rows of a provider share. */
  readonly gateway: "absent" | "ready" | "reconnect_required";
}

/** A credential in its place. */
export interface StoredSlot {
  readonly owner: "user" | "tenant" | "other" | "foreign" | "elsewhere" | "gateway";
  readonly connection: string;
  readonly instance: string;
  readonly ready: boolean;
  readonly type: "bearer" | "oauth2";
  /** The bearer token, or the access token. */
  readonly token: string;
}

export const surfaces = ["openapi", "rest", "graphql", "mcp"] as const;
export type Surface = (typeof surfaces)[number];

/**
 * How an operation comes to its connection: it names it (inline operations only), its surface does, its provider does as
 * `default_connection`, it is the one called `default`, it is the only one, or there is none.
 */
export type Declared = "surface" | "provider" | "default" | "only" | "operation" | "nowhere";

/** A mode, and how the connection authenticates where that makes a difference. */
export type Kind =
  | "none"
  | "user"
  | "tenant"
  | "either"
  | "identity_file"
  | "identity_stored"
  | "identity_minted"
  | "passthrough";

/** The header that connections of kind `passthrough` pass on. */
export const passedHeader = "X-Upstream-Token";
/** The tokens that nobody stores: of the file, of `client_credentials`, of the caller's request. */
export const fileToken = "token-of-the-file";
export const mintedToken = "token-that-was-minted";
export const passedToken = "token-of-the-request";
/** The one operation of every provider, by its name inside of it. */
export const operationName = "read";
/** The connection beside the one that is meant. */
const decoy = "decoy";

// kind | stored | `_instance` | expected: a slot, `file`, `minted`, `passed`, `nothing`, or an error with the instances that it lists
const cases = `
none            |                                  |         | nothing
none            | user tenant                      |         | nothing
none            |                                  | default | nothing
none            |                                  | work    | bad_request
none            |                                  | ../x    | bad_request

user            |                                  |         | not_connected
user            |                                  | work    | not_connected
user            |                                  | Work    | bad_request
user            |                                  | ../x    | bad_request
user            | user                             |         | user
user            | user                             | default | user
user            | user                             | work    | not_connected: default
user            | user                             | DEFAULT | bad_request
user            | user/work                        |         | user/work
user            | user/work                        | work    | user/work
user            | user/work                        | default | not_connected: work
user            | user user/work                   |         | instance_selection_required: default work
user            | user user/work                   | default | user
user            | user user/work                   | work    | user/work
user            | user user/work                   | home    | not_connected: default work
user            | user/c user/a user/b             |         | instance_selection_required: a b c
user            | user/c user/a user/b             | b       | user/b
user            | user!                            |         | reconnect_required
user            | user!                            | default | reconnect_required
user            | user!                            | work    | not_connected: default
user            | user! user/work                  |         | instance_selection_required: default work
user            | user! user/work                  | work    | user/work
user            | user! user/work                  | default | reconnect_required
user            | tenant                           |         | not_connected
user            | tenant                           | default | not_connected
user            | other                            |         | not_connected
user            | other/work                       | work    | not_connected
user            | foreign                          |         | not_connected
user            | elsewhere                        |         | not_connected
user            | decoy                            |         | not_connected
user            | user decoy                       |         | user
user            | user tenant other foreign        |         | user
user            | user other/work foreign/work     |         | user
user            | user other/work foreign/work     | work    | not_connected: default

tenant          |                                  |         | not_connected
tenant          | tenant                           |         | tenant
tenant          | tenant                           | default | tenant
tenant          | tenant                           | team    | not_connected: default
tenant          | tenant/team                      |         | tenant/team
tenant          | tenant tenant/team               |         | instance_selection_required: default team
tenant          | tenant tenant/team               | team    | tenant/team
tenant          | tenant!                          |         | reconnect_required
tenant          | tenant! tenant/team              | team    | tenant/team
tenant          | user                             |         | not_connected
tenant          | user/work tenant                 | work    | not_connected: default
tenant          | user tenant                      |         | tenant
tenant          | elsewhere                        |         | not_connected
tenant          | elsewhere/team tenant            | team    | not_connected: default
tenant          | decoy                            |         | not_connected
tenant          | tenant                           | -team   | bad_request

either          |                                  |         | not_connected
either          | user                             |         | user
either          | tenant                           |         | tenant
either          | tenant                           | default | tenant
either          | user tenant                      |         | user
either          | user tenant                      | default | user
either          | user/work tenant                 |         | user/work
either          | user/work tenant                 | default | not_connected: work
either          | user tenant/team                 | team    | not_connected: default
either          | tenant/team                      | team    | tenant/team
either          | tenant/team                      | work    | not_connected: team
either          | tenant tenant/team               |         | instance_selection_required: default team
either          | user tenant tenant/team          |         | user
either          | user user/work tenant            |         | instance_selection_required: default work
either          | user user/work tenant            | work    | user/work
either          | user user/work tenant/team       | team    | not_connected: default work
either          | user! tenant                     |         | reconnect_required
either          | user! tenant                     | default | reconnect_required
either          | user! tenant/team                | team    | not_connected: default
either          | user! user/work tenant           |         | instance_selection_required: default work
either          | user tenant!                     |         | user
either          | tenant!                          |         | reconnect_required
either          | other                            |         | not_connected
either          | other tenant                     |         | tenant
either          | foreign elsewhere                |         | not_connected
either          | foreign tenant                   |         | tenant
either          | decoy                            |         | not_connected

identity_file   |                                  |         | file
identity_file   |                                  | default | file
identity_file   |                                  | work    | bad_request
identity_file   | user tenant                      |         | file
identity_minted |                                  |         | minted
identity_minted | user tenant                      | default | minted
identity_minted |                                  | work    | bad_request
identity_stored |                                  |         | not_connected
identity_stored | user tenant                      |         | not_connected
identity_stored | gateway                          |         | gateway
identity_stored | gateway                          | default | gateway
identity_stored | gateway                          | work    | bad_request
identity_stored | gateway user tenant              |         | gateway
identity_stored | gateway!                         |         | reconnect_required
identity_stored | gateway! user tenant             |         | reconnect_required

passthrough     | +header                          |         | passed
passthrough     | +header                          | default | passed
passthrough     | +header user tenant              |         | passed
passthrough     |                                  |         | not_connected
passthrough     | user tenant                      |         | not_connected
passthrough     | +header                          | work    | bad_request
`;

/** All rows: the cases over each surface, and each way to declare a connection with each `_connection`. */
export const selectionRows: readonly SelectionRow[] = [
  // Some are in both.
  ...new Map([...casesOnSurfaces(), ...explicitConnections()].map((row) => [row.name, row])).values(),
];

/** The providers of all rows. */
export const selectionProviders: readonly SelectionProvider[] = [
  ...new Map(selectionRows.map(({ provider }) => [provider.name, provider])).values(),
];

/** Where a surface is reached, and the token endpoint of `client_credentials`. Providers are told apart by their name in the path. */
export interface SelectionAddresses {
  readonly http: string;
  readonly graphql: string;
  readonly mcp: string;
  readonly token: string;
}

/** The `providers` of a configuration file that has them all. Needs {@link selectionFiles} beside it and {@link selectionEnvironment}. */
export function selectionConfiguration(addresses: SelectionAddresses): Readonly<Record<string, object>> {
  return Object.fromEntries(
    selectionProviders.map((provider) => [
      provider.name,
      {
        ...(provider.declared === "provider" && { default_connection: provider.bound }),
        surfaces: { [provider.surface]: surfaceOf(provider, addresses) },
        ...(provider.bound !== undefined && {
          connections: {
            [provider.bound]: connectionOf(provider, addresses),
            ...(provider.declared !== "only" && { [decoy]: { mode: "either", auth: { type: "bearer" } } }),
          },
        }),
      },
    ]),
  );
}

/** Files that the configuration names, by name. */
export const selectionFiles: Readonly<Record<string, string>> = {
  "selection.json": JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Selection", version: "1" },
    paths: { "/read": { get: { operationId: operationName, responses: { 200: { description: "Read." } } } } },
  }),
  "selection.graphql": `type Query { ${operationName}: String }`,
};

/** What the references of the configuration stand for. */
export const selectionEnvironment: Readonly<Record<string, string>> = {
  SELECTION_TOKEN: fileToken,
  SELECTION_SECRET: "a-client-secret",
};

function surfaceOf(
  { name, surface, declared, bound }: SelectionProvider,
  addresses: SelectionAddresses,
): object {
  const connection = declared === "surface" && { connection: bound };
  switch (surface) {
    case "openapi":
      return { document: "./selection.json", base_url: `${addresses.http}/${name}`, ...connection };
    case "graphql":
      return { url: `${addresses.graphql}/${name}`, schema: "./selection.graphql", ...connection };
    case "mcp":
      return { url: `${addresses.mcp}/${name}`, ...connection };
    case "rest": {
      const operation = { name: operationName, method: "GET", path: "/read" };
      const own = declared === "operation" && { connection: bound };
      return {
        base_url: `${addresses.http}/${name}`,
        operations: [{ ...operation, ...own }],
        ...(declared === "operation" ? { connection: decoy } : connection),
      };
    }
  }
}

function connectionOf({ kind }: SelectionProvider, { token }: SelectionAddresses): object {
  const client = { token_url: token, client_id: "gateway", client_secret: `\${env:SELECTION_SECRET}` };
  switch (kind) {
    case "none":
      return { mode: "none" };
    case "user":
    case "tenant":
    case "either":
      return { mode: kind, auth: { type: "bearer" } };
    case "identity_file": {
      const credentials = [{ name: "token", value: `\${env:SELECTION_TOKEN}` }];
      return { mode: "identity", auth: { type: "bearer", credentials } };
    }
    case "identity_stored": {
      const auth = { type: "oauth2", authorization_url: "https://id.example.com/authorize", ...client };
      return { mode: "identity", auth };
    }
    case "identity_minted":
      return { mode: "identity", auth: { type: "oauth2", grant: "client_credentials", ...client } };
    case "passthrough":
      return { mode: "user", auth: { type: "passthrough", header: passedHeader } };
  }
}

/** Every case on every surface that it can be on, with the connection declared in another way each time. */
function* casesOnSurfaces(): Generator<SelectionRow> {
  for (const [index, line] of cases.split("\n").filter(Boolean).entries()) {
    const [kind, stored = "", instance = "", expected = ""] = line.split("|").map((cell) => cell.trim());
    if (!isKind(kind)) throw new Error(`Not a kind: ${line}`);
    const slots = stored.split(" ").filter(Boolean);
    for (const [number, surface] of surfaces.entries()) {
      if (kind === "passthrough" && surface === "mcp") continue;
      const ways = waysOf(surface).filter((way) => way !== "only" || !slots.includes(decoy));
      const declared = ways[(index + number) % ways.length] ?? "only";
      const gateway = slots.includes("gateway")
        ? "ready"
        : slots.includes("gateway!")
          ? "reconnect_required"
          : "absent";
      const provider = providerOf(surface, declared, kind, gateway);
      yield rowOf(provider, slots, { instance: instance === "" ? undefined : instance }, expected);
    }
  }
}

/** What `_connection` may say: the connection that the operation is bound to, and nothing else. */
function* explicitConnections(): Generator<SelectionRow> {
  for (const surface of surfaces) {
    for (const declared of [...waysOf(surface), "nowhere" as const]) {
      const provider = providerOf(surface, declared, declared === "nowhere" ? "none" : "user", "absent");
      const stored = declared === "only" || declared === "nowhere" ? ["user"] : ["user", decoy];
      const right = declared === "nowhere" ? "nothing" : "user";
      yield rowOf(provider, stored, {}, right);
      if (provider.bound !== undefined) yield rowOf(provider, stored, { connection: provider.bound }, "user");
      yield rowOf(provider, stored, { connection: decoy }, "bad_request");
      yield rowOf(provider, stored, { connection: "unheard-of" }, "bad_request");
      yield rowOf(provider, stored, { connection: "" }, "bad_request");
    }
  }
}

function waysOf(surface: Surface): readonly Declared[] {
  const ways = ["surface", "provider", "default", "only"] as const;
  return surface === "rest" ? [...ways, "operation"] : ways;
}

function providerOf(
  surface: Surface,
  declared: Declared,
  kind: Kind,
  gateway: SelectionProvider["gateway"],
): SelectionProvider {
  const state = { absent: "", ready: "_ready", reconnect_required: "_spent" }[gateway];
  const bound = declared === "nowhere" ? undefined : declared === "default" ? "default" : "right";
  return {
    name: `${surface}_${declared}_${kind.replace("identity_", "")}${state}`,
    ...{ surface, declared, kind, bound, gateway },
  };
}

function rowOf(
  provider: SelectionProvider,
  stored: readonly string[],
  given: { readonly connection?: string; readonly instance?: string | undefined },
  expected: string,
): SelectionRow {
  const { connection, instance } = given;
  const name = [
    provider.name,
    `stored: ${stored.join(" ") || "nothing"}`,
    ...(connection === undefined ? [] : [`_connection: ${connection}`]),
    ...(instance === undefined ? [] : [`_instance: ${instance}`]),
  ].join(", ");
  const slots = stored.filter((slot) => slot !== "+header").flatMap((slot) => slotsOf(slot, provider, name));
  return {
    ...{ name, provider, stored: slots, connection, instance },
    header: stored.includes("+header") ? passedToken : undefined,
    expected: expectationOf(expected, slots),
  };
}

function slotsOf(written: string, provider: SelectionProvider, row: string): readonly StoredSlot[] {
  const [, owner = "", instance = "default", mark] = /^([a-z]+)(?:\/([a-z]+))?(!)?$/.exec(written) ?? [];
  // Where no connection is declared, credentials of an earlier one may be left.
  const bound = provider.bound ?? "right";
  const whose = owner === decoy ? (["user", "tenant"] as const) : [owner];
  return whose.map((each) => {
    if (!isOwner(each)) throw new Error(`Not an owner: ${written}`);
    const connection = owner === decoy ? decoy : bound;
    // The gateway's own is shared by rows; all others are of one row only.
    const of = each === "gateway" ? provider.name : row;
    return {
      ...{ owner: each, connection, instance, ready: mark === undefined },
      type: each === "gateway" ? "oauth2" : "bearer",
      token: `${each}-${connection}-${instance}-of-${of.replaceAll(/[^a-z]+/gi, "-")}`,
    };
  });
}

function expectationOf(expected: string, stored: readonly StoredSlot[]): Expectation {
  const special = new Map([
    ["nothing", undefined],
    ["file", fileToken],
    ["minted", mintedToken],
    ["passed", passedToken],
  ]);
  if (special.has(expected)) return { kind: "token", token: special.get(expected) };
  const [owner, instance = "default"] = expected.split("/");
  const slot = stored.find(
    (each) => each.owner === owner && each.instance === instance && each.connection !== decoy,
  );
  if (slot !== undefined) return { kind: "token", token: slot.token };
  const [code = "", listed] = expected.split(":");
  return { kind: "error", code, instances: listed?.trim().split(" ") };
}

function isKind(text: string | undefined): text is Kind {
  return (
    text !== undefined && /^(none|user|tenant|either|identity_(file|stored|minted)|passthrough)$/.test(text)
  );
}

function isOwner(text: string): text is StoredSlot["owner"] {
  return /^(user|tenant|other|foreign|elsewhere|gateway)$/.test(text);
}
