import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";
import { loadText } from "./load-text.ts";

const valid = readFileSync(new URL("../cases/validate/valid-complete/gestalt.yaml", import.meta.url), "utf8");

/** The one provider of a file. */
async function loadProvider(body: string, options: Parameters<typeof loadText>[1] = {}) {
  const indented = body.replaceAll(/^(?=.)/gm, "    ");
  const { config, diagnostics } = await loadText(`providers:\n  crm:\n${indented}`, options);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const provider = config?.providers[0];
  if (!provider) throw new Error("no provider");
  return provider;
}

describe("a configuration is normalized", () => {
  test("defaults", async () => {
    const { config } = await loadText("providers: {crm: {mcp_url: https://crm.example.com/mcp}}");
    expect(config).toMatchObject({
      file: "/config/gestalt.yaml",
      server: { host: "127.0.0.1", port: 8080, baseUrl: undefined, allowedHosts: [] },
      auth: { provider: "none" },
      providers: [
        {
          name: "crm",
          displayName: "crm",
          description: undefined,
          mcp: { enabled: true, toolPrefix: "crm_" },
          select: { include: [], exclude: [] },
          allowedOperations: undefined,
          place: { file: "gestalt.yaml", line: 1, column: 13, endLine: 1, endColumn: 16 },
        },
      ],
    });
  });

  test("the server's own host is allowed, and hosts are lower case", async () => {
    const { config } = await loadText(
      "server: {base_url: https://GW.example.com/, allowed_hosts: [Other.example.com, gw.example.com]}\nproviders: {}\n",
    );
    expect(config?.server.baseUrl).toBe("https://GW.example.com");
    expect(config?.server.allowedHosts).toEqual(["gw.example.com", "other.example.com"]);
  });

  test("`mcp_url` becomes a surface", async () => {
    const { surfaces } = await loadProvider(
      "mcp_url: https://crm.example.com/mcp\nconnections: {main: {mode: none}}\n",
    );
    expect(surfaces).toMatchObject([
      {
        kind: "mcp",
        transport: { kind: "http", url: "https://crm.example.com/mcp" },
        connection: "main",
        place: { line: 3, column: 5 },
      },
    ]);
  });

  test("surfaces keep the order of the file and find their connection", async () => {
    const { surfaces } = await loadProvider(`surfaces:
  graphql: {url: https://crm.example.com/graphql, connection: other}
  openapi: {document: https://crm.example.com/openapi.json, base_url: https://crm.example.com/v1/}
  rest:
    base_url: https://crm.example.com//
    operations:
      - {name: a, method: GET, path: /a, connection: third}
connections:
  default: {mode: none}
  other: {mode: none}
  third: {mode: none}
`);
    expect(surfaces).toMatchObject([
      { kind: "graphql", connection: "other", schema: undefined },
      {
        kind: "openapi",
        connection: "default",
        baseUrl: "https://crm.example.com/v1",
        document: { kind: "url", url: "https://crm.example.com/openapi.json" },
      },
      {
        kind: "rest",
        connection: "default",
        baseUrl: "https://crm.example.com",
        operations: [{ name: "a", connection: "third" }],
      },
    ]);
  });

  test("`default_connection` comes before the one named `default`", async () => {
    const { surfaces } = await loadProvider(
      "mcp_url: https://crm.example.com/mcp\ndefault_connection: b\nconnections: {default: {mode: none}, b: {mode: none}}\n",
    );
    expect(surfaces[0]?.connection).toBe("b");
  });

  test("parameters get a schema", async () => {
    const { surfaces } = await loadProvider(`surfaces:
  rest:
    base_url: https://crm.example.com
    operations:
      - name: a
        method: POST
        path: /a/{id}
        parameters:
          - {name: id, in: path}
          - {name: unit, in: query, enum: [metric, 1]}
          - {name: tags, in: query, items: {type: string}}
          - {name: address, in: body, required: true, properties: {city: {type: string}}}
          - {name: raw, in: body, schema: {type: [string, "null"], maxLength: 5}}
          - {name: day, in: query, type: string, format: date, default: "2026-01-01"}
`);
    const [rest] = surfaces;
    if (rest?.kind !== "rest") throw new Error("no rest surface");
    expect(
      rest.operations[0]?.parameters.map(({ name, required, schema, default: value }) => ({
        name,
        required,
        schema,
        value,
      })),
    ).toEqual([
      { name: "id", required: true, schema: { type: "string" }, value: undefined },
      { name: "unit", required: false, schema: { enum: ["metric", 1] }, value: undefined },
      {
        name: "tags",
        required: false,
        schema: { type: "array", items: { type: "string" } },
        value: undefined,
      },
      {
        name: "address",
        required: true,
        schema: { type: "object", properties: { city: { type: "string" } } },
        value: undefined,
      },
      { name: "raw", required: false, schema: { type: ["string", "null"], maxLength: 5 }, value: undefined },
      { name: "day", required: false, schema: { type: "string", format: "date" }, value: "2026-01-01" },
    ]);
  });

  test("paths are absolute, relative to the file that they stand in", async () => {
    const provider = await loadProvider("package: ./packages/crm\nsurfaces: {mcp: {cwd: ./data}}\n", {
      files: {
        "/config/packages/crm/provider.yaml":
          "surfaces:\n  openapi: {document: ./openapi.yaml}\n  mcp: {command: [npx, crm], env: {A: b}}\n",
      },
    });
    expect(provider.surfaces).toMatchObject([
      {
        kind: "openapi",
        document: {
          kind: "file",
          path: "/config/packages/crm/openapi.yaml",
          place: { file: "packages/crm/provider.yaml", line: 2, column: 23 },
        },
      },
      {
        kind: "mcp",
        transport: {
          kind: "command",
          command: ["npx", "crm"],
          environment: { A: "b" },
          workingDirectory: "/config/data",
        },
      },
    ]);
  });

  test("a package is overridden key by key, its lists and scalars as a whole", async () => {
    const provider = await loadProvider(
      "package: ./crm\ndisplay_name: Ours\nheaders: {X-B: ours}\nselect: {include: [c]}\n",
      {
        files: {
          "/config/crm/provider.yaml":
            "display_name: Theirs\ndescription: Theirs\nheaders: {X-A: theirs, X-B: theirs}\nselect: {include: [a, b], exclude: [d]}\nmcp_url: https://crm.example.com/mcp\n",
        },
      },
    );
    expect(provider).toMatchObject({
      displayName: "Ours",
      description: "Theirs",
      headers: { "X-A": "theirs", "X-B": "ours" },
      select: {
        include: [{ pattern: "c", place: { file: "gestalt.yaml", line: 6, column: 24 } }],
        exclude: [{ pattern: "d", place: { file: "crm/provider.yaml", line: 4, column: 37 } }],
      },
    });
  });

  test("look-ups find nothing that was not declared", async () => {
    const { connections, headers } = await loadProvider("mcp_url: https://crm.example.com/mcp\n");
    expect([connections["constructor"], connections["valueOf"], headers["toString"]]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("references", () => {
  const identity = `mcp_url: https://crm.example.com/mcp
headers: {X-Plain: "1", X-Key: "Key \${env:KEY}", X-Number: "\${NUMBER}"}
connections:
  default:
    mode: identity
    auth:
      type: manual
      credentials:
        - {name: key, value: "\${KEY}", header: X-Api-Key, prefix: "Token "}
        - {name: user, value: "\${file:./user.txt}", basic: username}
`;

  test("become secrets in secret positions and are never printed", async () => {
    const environment = { KEY: "s3cret", NUMBER: "0012" };
    const provider = await loadProvider(identity, {
      environment,
      references: "resolve",
      files: { "/config/user.txt": "someone\n" },
    });
    expect(provider.headers["X-Plain"]).toBe("1");
    expect(reveal(provider.headers["X-Key"])).toBe("Key s3cret");
    expect(reveal(provider.headers["X-Number"])).toBe("0012");
    const { auth } = provider.connections["default"] ?? {};
    if (auth?.type !== "manual") throw new Error("no manual auth");
    expect(auth.fields.map((field) => reveal(field.value))).toEqual(["s3cret", "someone"]);
    expect(auth.fields.map((field) => field.target)).toEqual([
      { in: "header", header: "X-Api-Key", prefix: "Token " },
      { in: "basic", part: "username" },
    ]);
    expect(`${JSON.stringify(provider)}${inspect(provider, { depth: 9 })}`).not.toMatch(
      /s3cret|0012|someone/,
    );
  });

  test("in managed parameters are secrets; headers among them join the provider's", async () => {
    const body = `mcp_url: https://crm.example.com/mcp
headers: {X-Own: a}
response_mapping: {data: result.items}
allowed_operations: {a: {response_mapping: {data: b}}, c: }
managed_parameters:
  - {name: X-Tenant, in: header, value: "\${TENANT}"}
  - {name: account, in: path, value: "\${ACCOUNT}"}
  - {name: version, in: query, value: "2"}
`;
    const provider = await loadProvider(body, {
      environment: { TENANT: "s3cret", ACCOUNT: "0012" },
      references: "resolve",
    });
    expect(provider.headers["X-Own"]).toBe("a");
    expect(reveal(provider.headers["X-Tenant"])).toBe("s3cret");
    expect(provider.managedParameters).toMatchObject([
      { name: "account", in: "path", place: { line: 9 } },
      { name: "version", in: "query", value: "2", place: { line: 10 } },
    ]);
    expect(provider.managedParameters.map(({ value }) => typeof value)).toEqual(["object", "string"]);
    expect(provider.responseMapping).toEqual({ data: ["result", "items"] });
    expect(provider.allowedOperations?.["a"]?.responseMapping).toEqual({ data: ["b"] });
    expect(provider.allowedOperations?.["c"]?.responseMapping).toBeUndefined();
    expect(`${JSON.stringify(provider)}${inspect(provider, { depth: 9 })}`).not.toMatch(/s3cret|0012/);
  });

  test("that are not set leave no value behind when they are only checked", async () => {
    const { auth } = (await loadProvider(identity)).connections["default"] ?? {};
    expect(auth?.type === "manual" && auth.fields.map((field) => field.value)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("are retyped where a number or a boolean is wanted, and stay text where text is", async () => {
    const { config } = await loadText(
      'server: {port: "${PORT}"}\nproviders:\n  crm:\n    mcp_url: https://crm.example.com/mcp\n    display_name: ${NAME}\n    mcp: {enabled: "${ENABLED:-false}"}\n',
      { environment: { PORT: "9000", NAME: "007" } },
    );
    expect(config?.server.port).toBe(9000);
    expect(config?.providers[0]).toMatchObject({ displayName: "007", mcp: { enabled: false } });
  });

  test("supply defaults of the parameter's own type", async () => {
    const { surfaces } = await loadProvider(
      'surfaces: {rest: {base_url: https://crm.example.com, operations: [{name: a, method: GET, path: /a, parameters: [{name: zip, in: query, type: string, default: "${ZIP}"}, {name: page, in: query, type: integer, default: "${PAGE}"}]}]}}\n',
      { environment: { ZIP: "01234", PAGE: "2" } },
    );
    const [rest] = surfaces;
    expect(
      rest?.kind === "rest" && rest.operations[0]?.parameters.map((parameter) => parameter.default),
    ).toEqual(["01234", 2]);
  });

  test("are replaced inside longer texts, and `$${` stays as `${`", async () => {
    const { description } = await loadProvider(
      'mcp_url: https://crm.example.com/mcp\ndescription: "$${HOST} is ${HOST}, ${env:EMPTY:-none}, ${NO:-}."\n',
      { environment: { HOST: "crm", EMPTY: "" } },
    );
    expect(description).toBe("${HOST} is crm, none, .");
  });

  test("names of an object's own methods are not variables", async () => {
    const { diagnostics } = await loadText(
      "providers: {crm: {mcp_url: https://crm.example.com/mcp, description: '${constructor}'}}",
    );
    expect(diagnostics).toMatchObject([{ code: "unset-reference", severity: "information" }]);
  });
});

describe("a misspelt key is found, suggested and followed by nothing", () => {
  const keys = [...valid.matchAll(/(?<=[\s{])([a-z_]{4,}):\s/g)].filter(
    ([, key]) => !["notion", "linear", "weather", "deepwiki", "files", "default"].includes(key ?? ""),
  );

  test.each(keys.map((match) => ({ key: match[1] ?? "", offset: match.index })))(
    "$key at $offset",
    async ({ key, offset }) => {
      const misspelt = `${key.slice(0, -2)}${key.at(-1)}${key.at(-2)}`;
      const text = valid.slice(0, offset) + misspelt + valid.slice(offset + key.length);
      const { diagnostics } = await loadText(text);
      const line = valid.slice(0, offset).split("\n").length;
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(errors).toMatchObject([
        {
          code: "unknown-key",
          message: expect.stringContaining(`Did you mean \`${key}\`?`),
          place: { line, column: offset - valid.lastIndexOf("\n", offset) },
        },
      ]);
    },
  );
});

function reveal(value: string | Secret | undefined): string {
  return value instanceof Secret ? value.reveal() : `not a secret: ${value}`;
}
