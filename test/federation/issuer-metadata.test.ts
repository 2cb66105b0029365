import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createIssuerMetadata } from "../../src/federation/issuer-metadata.ts";
import type { HttpClient } from "../../src/upstream/http-client.ts";
import { startClient, startHttp } from "../upstream/loopback.ts";

/** A server whose documents the test gives by path; a function answers for itself. */
async function startPlaces(places: Record<string, object | ((response: ServerResponse) => void)> = {}) {
  const asked: string[] = [];
  const server = await startHttp((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const found = places[path];
    if (found === undefined) response.writeHead(404).end();
    else if (typeof found === "function") found(response);
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
  });
  return { ...server, asked, places };
}

const openid = "/.well-known/openid-configuration";
const oauth = "/.well-known/oauth-authorization-server";

describe("metadata of an issuer", () => {
  test("is read with its endpoints, and who counts as having named them", async () => {
    await using server = await startPlaces();
    await using http = startClient();
    server.places[openid] = {
      issuer: server.url,
      authorization_endpoint: `${server.url}/authorize`,
      token_endpoint: "https://tokens.example/token",
      jwks_uri: `${server.url}/keys`,
      scopes_supported: ["openid"],
    };
    const metadata = await createIssuerMetadata({ http })(server.url);
    expect(metadata).toMatchObject({
      issuer: server.url,
      authorizationEndpoint: `${server.url}/authorize`,
      tokenEndpoint: "https://tokens.example/token",
      jwksUri: `${server.url}/keys`,
      userinfoEndpoint: undefined,
      raw: { scopes_supported: ["openid"] },
    });
    expect(metadata.namedBy(`${server.url}/authorize`)).toBe("operator");
    for (const url of [
      "https://tokens.example/token",
      server.url.replace("http:", "https:"),
      "http://127.0.0.1",
    ])
      expect(metadata.namedBy(url)).toBe("upstream");
  });

  test.each([
    ["", "", openid],
    ["/", "", openid],
    ["/realms/a", "/realms/a", `/realms/a${openid}`],
    ["/realms/a/", "/realms/a", `/realms/a${openid}`],
  ])("is where OpenID Connect has it, else where RFC 8414 has it (%j)", async (path, plain, first) => {
    await using server = await startPlaces();
    await using http = startClient();
    const issuer = `${server.url}${path}`;
    server.places[`${oauth}${plain}`] = { issuer, token_endpoint: `${server.url}/2` };
    expect(await createIssuerMetadata({ http })(issuer)).toMatchObject({ tokenEndpoint: `${server.url}/2` });
    expect(server.asked).toEqual([first, `${oauth}${plain}`]);
    server.places[first] = { issuer, token_endpoint: `${server.url}/1` };
    expect(await createIssuerMetadata({ http })(issuer)).toMatchObject({ tokenEndpoint: `${server.url}/1` });
  });

  test("is asked for once by all, and again after ten minutes", async () => {
    await using server = await startPlaces();
    await using http = startClient();
    server.places[openid] = { issuer: server.url };
    let time = 1_000_000;
    const read = createIssuerMetadata({ http, now: () => time });
    await Promise.all(Array.from({ length: 20 }, () => read(server.url)));
    time += 599_999;
    await read(server.url);
    expect(server.asked).toEqual([openid]);
    time += 1;
    await read(server.url);
    expect(server.asked).toEqual([openid, openid]);
  });

  test("that could not be had is asked for again", async () => {
    await using server = await startPlaces();
    await using http = startClient();
    const read = createIssuerMetadata({ http });
    await expect(read(server.url)).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining(`nothing at ${server.url}${openid} and ${server.url}${oauth}`),
    });
    server.places[openid] = { issuer: server.url };
    expect(await read(server.url)).toMatchObject({ issuer: server.url });
  });
});

describe("metadata is not believed", () => {
  const status = (code: number, headers: Record<string, string> = {}) => {
    return (response: ServerResponse): void => void response.writeHead(code, headers).end("{}");
  };
  test.each([
    ["that moved", status(301, { location: "/other" }), "Redirects are not followed"],
    ["that is forbidden", status(403), "status 403"],
    ["of a server that fails", status(503), "Try again later"],
    ["that is no JSON by its type", status(200, { "content-type": "text/plain" }), "does not call JSON"],
    ["without a type", status(200), "does not call JSON"],
  ])("%s", async (_case, answer, message) => {
    await using server = await startPlaces({ [openid]: answer });
    await using http = startClient();
    server.places[oauth] = { issuer: server.url };
    await expect(createIssuerMetadata({ http })(server.url)).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining(message),
    });
    // Only its absence leads to the other place.
    expect(server.asked).toEqual([openid]);
  });

  test.each([
    ["with a slash more", (url: string) => `${url}/`, "a slash at the end counts"],
    ["in upper case", (url: string) => url.toUpperCase(), "names another issuer (HTTP"],
    ["with a default port", () => "https://a.example:443", "names another issuer"],
    ["that is none", () => undefined, "names another issuer,"],
    ["in a list", (url: string) => [url], "names another issuer,"],
    ["with characters that steer terminals", (url: string) => `${url}\u001b[2J`, "names another issuer,"],
  ])("of an issuer %s", async (_case, change, message) => {
    await using server = await startPlaces();
    await using http = startClient();
    server.places[openid] = { issuer: change(server.url) };
    await expect(createIssuerMetadata({ http })(server.url)).rejects.toThrow(message);
  });

  test.each([
    ["http://issuer.example/keys", "is not encrypted"],
    ["ftp://issuer.example/keys", "is neither https nor http"],
    ["javascript:alert(1)", "is neither https nor http"],
    ["/keys", "is no absolute URL"],
    ["https://user:word@issuer.example/", "has a user or a password in it"],
    ["https://issuer.example/#keys", "has a fragment"],
    ["https://issuer.example\\@other.example/", "has characters that no URL has"],
    ["https://issuer.example/\tkeys", "has characters that no URL has"],
    [`https://issuer.example/${"x".repeat(2048)}`, "is longer than"],
    [17, "is missing or no text"],
    ["", "is missing or no text"],
  ])("that leads to %j", async (url, problem) => {
    await using server = await startPlaces();
    await using http = startClient();
    for (const name of ["jwks_uri", "token_endpoint", "authorization_endpoint"]) {
      server.places[openid] = { issuer: server.url, [name]: url };
      await expect(createIssuerMetadata({ http })(server.url)).rejects.toThrow(`its \`${name}\` ${problem}`);
    }
  });

  test("for an issuer that is no URL to ask, and nothing is asked", async () => {
    const http: HttpClient = {
      request: () => Promise.reject(new Error("Nothing is to be asked.")),
      stream: () => Promise.reject(new Error("Nothing is to be asked.")),
      close: async () => {},
    };
    for (const issuer of ["issuer", "file:///etc", "https://a.example/?tenant=b", "https://a.example/#b"])
      await expect(createIssuerMetadata({ http })(issuer)).rejects.toMatchObject({ code: "upstream_failed" });
  });
});
