import { describe, expect, test } from "vitest";
import { loadText } from "../config/load-text.ts";
import { callApi, callModern, readMcp, startSystem } from "./system.ts";
import { startUpstream } from "./upstream.ts";

const canary = "canary-of-the-environment";

/** Texts that a careless template engine or configuration reader fills in. */
const expressions = [
  "$" + "{env:CANARY}",
  "$" + "{CANARY}",
  "$" + "{CANARY:-x}",
  "$CANARY",
  "$" + "{file:/etc/hostname}",
  "{{CANARY}}",
  "{{ env.CANARY }}",
  "%CANARY%",
  "<%= process.env.CANARY %>",
  "#" + "{CANARY}",
  "$(printenv CANARY)",
  "`printenv CANARY`",
  "$" + "{connection.main.token}",
  "$" + "{jndi:ldap://127.0.0.1/a}",
];

const operation = {
  name: "go",
  method: "POST",
  path: "/a/{segment}",
  parameters: [
    { name: "segment", in: "path" },
    { name: "word", in: "query" },
    { name: "X-Word", in: "header" },
    { name: "text", in: "body" },
  ],
};

describe("LibreChat CVE-2026-32625, CVE-2026-31951: what users write is never filled in", () => {
  test.each(expressions)("%s arrives as it is, in every place", async (written) => {
    await using upstream = await startUpstream();
    await using system = await startSystem(
      {
        own: {
          headers: { "X-Own": "$" + "{env:CANARY}" },
          surfaces: { rest: { base_url: upstream.url, operations: [operation] } },
        },
      },
      { environment: { CANARY: canary } },
    );
    const given = { segment: written, word: written, "X-Word": written, text: written };
    for (const outcome of [
      readMcp(await callModern(system.url, "own_go", given)),
      await callApi(system.url, "own/go", given),
    ])
      expect(["result", "refused"]).toContain(outcome.kind);
    for (const { target, headers, body } of upstream.seen) {
      expect(decodeURIComponent(target)).toContain(written);
      expect(headers["x-word"]).toBe(written);
      expect(JSON.parse(body)).toEqual({ text: written });
      // The file's own header is filled in, and nothing else.
      expect(headers["x-own"]).toBe(canary);
    }
    expect(upstream.bytes().split(canary).length - 1).toBe(upstream.seen.length);
  });
});

describe("docker #467: a name that is a pattern gets the credentials of others there", () => {
  test.each(["**", "*", "a*", "?", "[a-z]", "a/b", "../a", "a.b", "", " a", "A", "a\u0000", "__proto__"])(
    "a provider called %j is refused",
    async (name) => {
      const { config, diagnostics } = await loadText(
        JSON.stringify({ providers: { [name]: { mcp_url: "http://127.0.0.1:9/mcp" } } }).replace(
          '{"providers":{}}',
          '{"providers":{"__proto__":{"mcp_url":"http://127.0.0.1:9/mcp"}}}',
        ),
      );
      expect(config, JSON.stringify(diagnostics)).toBeUndefined();
    },
  );
});
