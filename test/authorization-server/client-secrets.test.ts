import { describe, expect, test } from "vitest";
import {
  hashOfClientSecret,
  newClientSecret,
  problemOfClientSecret,
} from "../../src/authorization-server/client-secrets.ts";
import { Secret } from "../../src/secret.ts";
import { createRulesHarness, serverSettings } from "./client-rules-harness.ts";

test("a secret has 256 bits, is never the same, and is right for its own hash only", () => {
  const [one, other] = [newClientSecret(), newClientSecret()];
  expect(one.reveal()).toMatch(/^gst_ocs_[\w-]{43}$/);
  expect(problemOfClientSecret(hashOfClientSecret(one), one.reveal(), "registered")).toBeUndefined();
  expect(problemOfClientSecret(hashOfClientSecret(other), one.reveal(), "registered")).toContain("wrong");
});

describe("what is wrong with a secret is said", () => {
  const secret = newClientSecret();
  const kept = hashOfClientSecret(secret);

  test.each([
    ["what the store keeps", kept, "looks like a hash (SHA-2)"],
    ["hexadecimal digits", "a".repeat(64), "looks like a hash (SHA-2 in hexadecimal digits)"],
    ["bcrypt", "$2b$12$abcdefghijklmnopqrstuv", "looks like a hash (bcrypt)"],
    ["argon2", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "looks like a hash (argon2)"],
    ["LDAP", "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr", "looks like a hash (LDAP)"],
    ["a copied line break", `${secret.reveal()}\n`, "begins or ends with a space or a line break"],
    ["quotation marks", `"${secret.reveal()}"`, "stands in quotation marks"],
    ["a variable", "${CLIENT_SECRET}", "name of a variable"],
    ["another one", "hunter2", "Copy it anew"],
    ["nothing", "", "The client_secret is wrong"],
  ])("%s", (_name, presented, reason) => {
    const problem = problemOfClientSecret(kept, presented, "registered");
    expect(problem).toContain(reason);
    expect(problem).not.toContain(secret.reveal());
    expect(problem).not.toContain(kept);
    expect(problem).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  test("of a client without one", () => {
    expect(problemOfClientSecret(undefined, "anything", "registered")).toContain("has no secret");
  });

  test("but a right one may look like anything", () => {
    const odd = new Secret("0123456789abcdef".repeat(4));
    expect(problemOfClientSecret(hashOfClientSecret(odd), odd.reveal(), "registered")).toBeUndefined();
  });
});

describe("a client of the file", () => {
  const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
  const clientsWith = (secret: Secret | undefined) => ({
    ide: { id: "ide", displayName: "The IDE", redirectUris: ["http://localhost/cb"], secret, place },
  });

  test("has the secret that the file has now", async () => {
    const harness = await createRulesHarness({ settings: { clients: clientsWith(new Secret("first")) } });
    const { rules } = harness;
    const before = await rules.find("ide");
    if (before === undefined) throw new Error("There is no client.");
    expect(before).toMatchObject({ kind: "static", name: "The IDE" });
    expect(rules.problemOfSecret(before, "first")).toBeUndefined();
    expect(JSON.stringify(before)).not.toContain("first");

    harness.settings = { ...serverSettings, clients: clientsWith(new Secret("second")) };
    const after = await rules.find("ide");
    if (after === undefined) throw new Error("There is no client.");
    expect(rules.problemOfSecret(after, "first")).toContain("ask the gateway's operator");
    expect(rules.problemOfSecret(after, "first")).not.toContain("register");
    expect(rules.problemOfSecret(after, "a".repeat(64))).toContain("put into its configuration");
    expect(rules.problemOfSecret(after, "second")).toBeUndefined();

    harness.settings = serverSettings;
    expect(await rules.find("ide")).toBeUndefined();
  });

  test("without a secret is told so where it sends one, and with one where it sends none", async () => {
    const harness = await createRulesHarness({ settings: { clients: clientsWith(undefined) } });
    const open = await harness.rules.find("ide");
    if (open === undefined) throw new Error("There is no client.");
    expect(open.authenticationMethod).toBe("none");
    expect(harness.rules.describeMethod(open, true)).toContain("has no secret, but sent one");
    harness.settings = { ...serverSettings, clients: clientsWith(new Secret("s")) };
    const closed = await harness.rules.find("ide");
    if (closed === undefined) throw new Error("There is no client.");
    expect(harness.rules.describeMethod(closed, false)).toContain("did not send it");
  });

  test.each(["constructor", "__proto__", "toString", "IDE", " ide", ""])("is not %j", async (id) => {
    const { rules } = await createRulesHarness({ settings: { clients: clientsWith(undefined) } });
    expect(await rules.find(id)).toBeUndefined();
  });
});
