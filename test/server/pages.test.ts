import { describe, expect, test } from "vitest";
import { principalOf } from "../principals.ts";
import { type Answer, openStage, type Stage, session } from "./stage.ts";

const own = { "sec-fetch-site": "same-origin" };
const form = { ...own, "content-type": "application/x-www-form-urlencoded" };
const cookie = { cookie: `__Host-gateway-session=${session("ada")}` };

function submit(
  stage: Stage,
  body: string,
  headers: Readonly<Record<string, string>> = form,
): Promise<Answer> {
  return stage.send("POST", "/login", { headers, body });
}

describe("the sign-in page", () => {
  test("is plain HTML that runs nothing and can't be framed", async () => {
    await using stage = await openStage();
    for (const path of ["/login", "/login.css"]) {
      const { status, headers } = await stage.send("GET", path);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy":
          "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
    }
    const { text, headers } = await stage.send("GET", "/login");
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(text).toContain('<html lang="en">');
    expect(text).toMatch(/<label for="name">.*\n<input id="name" /);
    expect(text).toMatch(/<label for="password">.*\n<input id="password" .*autocomplete="current-password"/);
    expect(text).not.toMatch(/<script|<style| style=| on\w+=|https?:/i);
    expect((await stage.send("GET", "/login.css")).headers["content-type"]).toBe("text/css; charset=utf-8");
  });

  test("leads on with a session", async () => {
    await using stage = await openStage();
    const answer = await submit(stage, "name=ada&password=correct+horse");
    expect([answer.status, answer.headers.location]).toEqual([303, "./"]);
    expect(answer.headers["set-cookie"]?.[0]).toMatch(
      /^__Host-gateway-session=\w{43}; Path=\/; Secure; HttpOnly;/,
    );
    expect(answer.headers["cache-control"]).toBe("no-store");
    const home = await stage.send("GET", "/", { headers: { ...own, ...cookie } });
    expect(home.status).toBe(200);
    expect(home.text).toContain("<dd>ada</dd>");
  });

  test.each([
    ["name=ada&password=wrong", 401, "Name or password is wrong.", undefined],
    ["name=busy&password=correct+horse", 429, "Try again in 8 seconds.", "8"],
    ["name=down&password=correct+horse", 503, "does not work at the moment", "1"],
  ])("says why not: %s", async (body, status, expected, retryAfter) => {
    await using stage = await openStage();
    const answer = await submit(stage, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(new RegExp(`<p role="alert" id="problem">[^<]*${expected}`));
    expect(answer.text).not.toMatch(/correct horse|wrong"/);
    expect(answer.headers["retry-after"]).toBe(retryAfter);
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
  });

  test("shows what was typed as text and nothing else", async () => {
    await using stage = await openStage();
    const hostile = `"><script>alert('1')</script>&amp;`;
    const answer = await submit(stage, String(new URLSearchParams({ name: hostile, password: "wrong" })));
    expect(answer.text).toContain(
      'value="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"',
    );
    expect(answer.text).not.toContain("<script");
  });

  test("shows hostile names as text", async () => {
    const hostile = "<img src=x onerror=alert(1)>";
    const ada = principalOf("user", "ada", "default", { name: hostile, roles: [hostile] });
    await using stage = await openStage({ people: [ada] });
    const { text } = await stage.send("GET", "/", { headers: cookie });
    expect(text).not.toContain("<img");
    expect(text.match(/&lt;img src=x onerror=alert\(1\)&gt;/g)).toHaveLength(2);
  });

  test.each<readonly [string, string, Readonly<Record<string, string>>, number]>([
    ["another type", "{}", { ...own, "content-type": "application/json" }, 400],
    ["no type", "name=a&password=b", own, 400],
    ["no password", "name=a", form, 400],
    ["two passwords", "name=a&password=b&password=c", form, 400],
    ["something else", "name=a&password=b&next=https://evil.example", form, 400],
    ["too much", `name=a&password=${"x".repeat(17_000)}`, form, 413],
  ])("takes its own form only: %s", async (_name, body, headers, status) => {
    await using stage = await openStage();
    expect((await submit(stage, body, headers)).status).toBe(status);
    expect(stage.attempts).toEqual([]);
  });
});

describe("the way out", () => {
  test("ends the session and forgets the cookie", async () => {
    await using stage = await openStage();
    const answer = await stage.send("POST", "/logout", { headers: { ...form, ...cookie }, body: "" });
    expect([answer.status, answer.headers.location]).toEqual([303, "login"]);
    expect(answer.headers["set-cookie"]?.[0]).toContain("Max-Age=0");
    expect(answer.headers["clear-site-data"]).toBe('"cache"');
    expect(stage.ended).toEqual([session("ada")]);
  });

  test("is no link", async () => {
    await using stage = await openStage();
    expect((await stage.send("GET", "/logout", { headers: { ...own, ...cookie } })).status).toBe(405);
    expect(stage.ended).toEqual([]);
  });
});

test("who is not signed in is led to the form", async () => {
  await using stage = await openStage();
  for (const headers of [{}, { cookie: "__Host-gateway-session=expired" }]) {
    const answer = await stage.send("GET", "/", { headers });
    expect([answer.status, answer.headers.location]).toEqual([303, "login"]);
  }
});

test("pages work below a path of a proxy: all their links are relative", async () => {
  await using stage = await openStage();
  const pages = [
    await stage.send("GET", "/login"),
    await stage.send("GET", "/", { headers: cookie }),
    await submit(stage, "name=ada&password=wrong"),
  ];
  const links = pages.flatMap(({ text }) => [...text.matchAll(/(?:href|action|src)="([^"]*)"/g)]);
  expect(new Set(links.map(([, target]) => target))).toEqual(
    new Set(["login.css", "login", "logout", "connect", "apps"]),
  );
});

test("where nobody signs in there are no pages for that", async () => {
  await using stage = await openStage({ auth: { provider: "none" } });
  for (const path of ["/", "/login", "/logout"]) {
    for (const method of ["GET", "POST"])
      expect((await stage.send(method, path, { headers: form })).status).toBe(404);
  }
});
