import { expect, test } from "vitest";
import { checkCallback } from "../../../src/credentials/oauth/check-callback.ts";
import { GatewayError } from "../../../src/errors.ts";

const issuer = "https://auth.example.com/a";
const none = { code: undefined, issuer: undefined, error: undefined, errorDescription: undefined };

function refusalOf(
  server: Parameters<typeof checkCallback>[0],
  callback: Partial<typeof none | Record<string, string>>,
): GatewayError {
  try {
    checkCallback(server, { ...none, ...callback });
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

test.each([
  [issuer, true, issuer],
  [issuer, false, issuer],
  [issuer, false, undefined],
  [undefined, false, undefined],
  [undefined, false, "https://anybody.example"],
])("issuer %s, required %s: takes %s", (known, issuerRequired, named) => {
  expect(checkCallback({ issuer: known, issuerRequired }, { ...none, code: "c", issuer: named })).toBe("c");
});

test.each([
  [true, undefined],
  [true, "https://evil.example"],
  [false, "https://evil.example"],
  // Compared as text: nothing is normalized.
  [false, `${issuer}/`],
  [false, "https://AUTH.example.com/a"],
  [false, "https://auth.example.com:443/a"],
  [false, "https://auth.example.com/%61"],
  [false, ""],
])("required %s: refuses the issuer %s, whatever else is said", (issuerRequired, named) => {
  for (const rest of [{ code: "c" }, { error: "access_denied", errorDescription: "evil words" }]) {
    const error = refusalOf({ issuer, issuerRequired }, { ...rest, issuer: named });
    expect(error.code).toBe("bad_request");
    expect(error.message).not.toMatch(/denied|evil/);
  }
});

test.each([undefined, "", "a\nb", "é", "x".repeat(4097)])("refuses the code %j", (code) => {
  expect(refusalOf({ issuer, issuerRequired: false }, { code }).code).toBe("bad_request");
});

test("errors of the server in words", () => {
  const message = (error: string, errorDescription?: string): string =>
    refusalOf({ issuer: undefined, issuerRequired: false }, { error, errorDescription, code: "c" }).message;
  expect(message("access_denied")).toBe("The authorization was denied. (`access_denied`)");
  expect(message("invalid_scope", 'no "admin"\u202e\u0000\r\n for you')).toMatchInlineSnapshot(
    `"The authorization server does not give the scopes that the connection asks for. (\`invalid_scope\`) The server's own words: "no 'admin' for you""`,
  );
  expect(message("constructor")).toMatchInlineSnapshot(
    `"The authorization server answered with an error. (\`constructor\`)"`,
  );
  expect(message("<script>alert(1)</script>")).toMatchInlineSnapshot(
    `"The authorization server answered with an error."`,
  );
  expect(message("access_denied", "x".repeat(5000)).length).toBeLessThan(320);
});
