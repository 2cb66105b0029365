// `npm run bench:authentication`: what authentication and authorization of a warm token add to the CPU time of a call.
//
// Three gateways call the same upstream: one lets everybody in, the others check an API token, tenant exposure, roles, scopes and
// policies, one of them a policy over the arguments of each call besides. Slices of load alternate between them; printed are the medians of the CPU time that the
// operating system counts for each process per call (Linux: /proc), and the ratio.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, benchCalls } from "./calls.ts";

const overArguments = `    - {name: few, effect: deny, when: 'tool.name == "shop_find" && has(arguments.limit) && arguments.limit > 100'}
`;

await benchCalls(async (bench) => {
  await bench.start("auth: none", writeConfiguration(bench, "open.yaml", ""), {});
  for (const [name, file, settings] of [
    ["known callers", "known.yaml", access()],
    ["and arguments", "arguments.yaml", access() + overArguments],
  ] as const) {
    const config = writeConfiguration(bench, file, settings);
    const line = ["tokens", "create", name, "--service", "--tenant", "acme", "--scope", "shop", "-c", config];
    await bench.start(name, config, { authorization: `Bearer ${bench.run(...line)}` });
  }
});

/** Tenants, roles and policies such as a file of a SaaS team may have. */
function access(): string {
  return `
auth: {provider: local}
datastore: {provider: sqlite, config: {path: ./bench.db}}
tenants:
  acme: {providers: [shop]}
  globex: {tools: [shop_add]}
authorization:
  destructive: deny
  roles:
    member: {scopes: [shop]}
    support: {scopes: ["read:*"]}
  policies:
    - {name: admins-destroy, effect: allow, when: '"admin" in principal.roles'}
    - {name: not-for-anonymous, effect: deny, when: principal.kind == "anonymous"}
`;
}

function writeConfiguration({ folder, base }: Bench, name: string, settings: string): string {
  const file = join(folder, name);
  const operations = ["find", "read", "add"].map(
    (operation) =>
      `          - {name: ${operation}, method: ${operation === "add" ? "POST" : "GET"}, path: /${operation}, parameters: [{name: limit, in: query, type: integer}]}`,
  );
  writeFileSync(
    file,
    `server: {port: 0}
${settings}
providers:
  shop:
    surfaces:
      rest:
        base_url: ${base}
        operations:
${operations.join("\n")}
`,
  );
  return file;
}
