import { expect, test } from "vitest";
import { declaredCredential } from "../../src/credentials/apply-auth.ts";
import { dressRequest } from "../../src/providers/dress-request.ts";
import { loadText } from "./load-text.ts";

const file = `providers:
  crm:
    schema_budget: 8KB
    surfaces:
      openapi:
        document: ./d.yaml
        server: Sandbox
        server_variables: {region: eu, port: 8443}
        deprecated: exclude
        connection: web
    connections:
      web:
        mode: identity
        auth: {type: manual, credentials: [{name: sid, cookie: SID, value: "\${env:SID}"}, {name: key, header: X-Key, value: "\${env:SID}"}]}
    allowed_operations:
      search: {annotations: {read_only: true}}
`;

test("the options of an OpenAPI surface, with their places", async () => {
  const { config, diagnostics } = await loadText(file, { references: "resolve", environment: { SID: "s1" } });
  expect(diagnostics).toEqual([]);
  const [provider] = config?.providers ?? [];
  expect(provider?.surfaces).toMatchObject([
    {
      server: { value: "Sandbox", place: { line: 7 } },
      serverVariables: { region: { value: "eu" }, port: { value: "8443", place: { line: 8 } } },
      deprecated: "exclude",
      schemaBudget: 8_000,
      sends: ["cookie:sid", "header:x-key"],
    },
  ]);
  expect(provider?.allowedOperations?.["search"]?.annotations).toEqual({ readOnlyHint: true });
});

test("a credential in a cookie takes the place of one that arguments made", async () => {
  const { config } = await loadText(file, { references: "resolve", environment: { SID: "s1" } });
  const [provider] = config?.providers ?? [];
  const connection = provider?.connections["web"];
  const credential = provider && connection && declaredCredential(provider, connection);
  if (!provider || !credential) throw new Error("There has to be a credential.");
  const request = { url: "https://a.example/", headers: { cookie: "a=1; SID=forged" } };
  expect(dressRequest(request, provider, credential).headers).toMatchObject({
    cookie: "a=1; SID=s1",
    "x-key": "s1",
  });
});

test.each(["500", "64KB", "8 MB", "40000"])("a schema budget of %s is refused", async (budget) => {
  const { diagnostics } = await loadText(file.replace("8KB", budget));
  expect(diagnostics[0]).toMatchObject({ severity: "error", code: "bad-value", place: { line: 3 } });
});
