import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { HttpParameter } from "../../../src/model/catalog.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { bindRequest } from "../../../src/providers/http/bind-request.ts";
import { binding, memberBody, parameter, wholeBody } from "./make-binding.ts";

const list = ["blue", "black", "brown"];
const map = { R: 100, G: 200, B: 150 };

function expectRefused(run: () => unknown, argument: string): void {
  expect(run).toThrow(GatewayError);
  expect(run).toThrow(`\`${argument}\``);
}

describe("path parameters", () => {
  const cells: readonly [HttpParameter["style"], boolean, JsonValue, string][] = [
    ["simple", false, "blue", "blue"],
    ["simple", true, "blue", "blue"],
    ["simple", false, list, "blue,black,brown"],
    ["simple", true, list, "blue,black,brown"],
    ["simple", false, map, "R,100,G,200,B,150"],
    ["simple", true, map, "R=100,G=200,B=150"],
    ["label", false, "blue", ".blue"],
    ["label", true, "blue", ".blue"],
    ["label", false, list, ".blue,black,brown"],
    ["label", true, list, ".blue.black.brown"],
    ["label", false, map, ".R,100,G,200,B,150"],
    ["label", true, map, ".R=100.G=200.B=150"],
    ["matrix", false, "blue", ";color=blue"],
    ["matrix", true, "blue", ";color=blue"],
    ["matrix", false, "", ";color"],
    ["matrix", false, list, ";color=blue,black,brown"],
    ["matrix", true, list, ";color=blue;color=black;color=brown"],
    ["matrix", false, map, ";color=R,100,G,200,B,150"],
    ["matrix", true, map, ";R=100;G=200;B=150"],
  ];
  test.each(cells)("%s, explode %s: %j gives %s", (style, explode, value, text) => {
    const bound = bindRequest(binding("/c/{color}", [parameter({ in: "path", style, explode })]), {
      color: value,
    });
    expect(bound.url).toBe(`https://api.example.com/v1/c/${text}`);
  });

  test.each([
    ["a/b c", "a%2Fb%20c"],
    ["ü€", "%C3%BC%E2%82%AC"],
    ["100%", "100%25"],
    ["?x=1#y", "%3Fx%3D1%23y"],
    ["$&$1$`", "%24%26%241%24%60"],
    ["it's(1)*!", "it%27s%281%29%2A%21"],
    [0, "0"],
    [true, "true"],
  ])("%j stands in the path as %s", (value, text) => {
    const bound = bindRequest(binding("/c/{color}/x", [parameter({ in: "path" })]), { color: value });
    expect(bound.url).toBe(`https://api.example.com/v1/c/${text}/x`);
  });

  test.each([".", "..", "%2e%2e", "%252e%252E", "a/../b", "..\\b", "../..", "..%2fadmin", "", null])(
    "%j is refused",
    (value) => {
      const run = () => bindRequest(binding("/c/{color}/x", [parameter({ in: "path" })]), { color: value });
      expectRefused(run, "color");
    },
  );

  test("two variables of one segment can't make a `..` together", () => {
    const parameters = [parameter({ in: "path", name: "a" }), parameter({ in: "path", name: "b" })];
    expect(bindRequest(binding("/x/{a}.{b}", parameters), { a: "1", b: "2" }).url).toMatch(/\/x\/1\.2$/);
    expect(() => bindRequest(binding("/x/{a}{b}/y", parameters), { a: ".", b: "." })).toThrow(GatewayError);
  });

  test("a reserved expansion keeps slashes, and nothing else", () => {
    const spaces = parameter({ in: "path", allowReserved: true });
    const bound = bindRequest(binding("/{color}/messages", [spaces]), { color: "spaces/AA?b#c" });
    expect(bound.url).toBe("https://api.example.com/v1/spaces/AA%3Fb%23c/messages");
  });

  test("a fixed query stays in front of the parameters", () => {
    const bound = bindRequest(binding("/x?api=2", [parameter({ in: "query" })]), { color: "red" });
    expect(bound.url).toBe("https://api.example.com/v1/x?api=2&color=red");
  });
});

describe("query parameters", () => {
  const cells: readonly [HttpParameter["style"], boolean, JsonValue, string][] = [
    ["form", true, "blue", "color=blue"],
    ["form", true, "", "color="],
    ["form", true, list, "color=blue&color=black&color=brown"],
    ["form", false, list, "color=blue,black,brown"],
    ["form", false, ["a,b", "c"], "color=a%2Cb,c"],
    ["form", true, map, "R=100&G=200&B=150"],
    ["form", false, map, "color=R,100,G,200,B,150"],
    ["spaceDelimited", false, list, "color=blue%20black%20brown"],
    ["spaceDelimited", false, map, "color=R%20100%20G%20200%20B%20150"],
    ["spaceDelimited", true, list, "color=blue&color=black&color=brown"],
    ["pipeDelimited", false, list, "color=blue%7Cblack%7Cbrown"],
    ["pipeDelimited", false, map, "color=R%7C100%7CG%7C200%7CB%7C150"],
    ["tabDelimited", false, list, "color=blue%09black%09brown"],
    ["deepObject", true, map, "color[R]=100&color[G]=200&color[B]=150"],
    ["deepObject", true, { a: { b: [1, { c: 2 }] } }, "color[a][b][0]=1&color[a][b][1][c]=2"],
    ["form", true, true, "color=true"],
    ["form", true, "a b+c&d=e#f", "color=a%20b%2Bc%26d%3De%23f"],
    ["form", true, ["x", null, "y"], "color=x&color=y"],
    ["form", true, [{ a: 1 }], "color=%7B%22a%22%3A1%7D"],
  ];
  test.each(cells)("%s, explode %s: %j gives %s", (style, explode, value, text) => {
    const bound = bindRequest(binding("/c", [parameter({ in: "query", style, explode })]), { color: value });
    expect(bound.url).toBe(`https://api.example.com/v1/c?${text}`);
  });

  test.each([null, undefined, [], {}])("%j is left out", (value) => {
    const args = value === undefined ? {} : { color: value };
    expect(bindRequest(binding("/c", [parameter({ in: "query" })]), args).url).toBe(
      "https://api.example.com/v1/c",
    );
  });

  test("names keep their brackets", () => {
    const ids = parameter({ in: "query", name: "ids[]", argument: "ids" });
    expect(bindRequest(binding("/c", [ids]), { ids: ["1", "2"] }).url).toMatch(/\?ids\[\]=1&ids\[\]=2$/);
  });

  test("reserved characters pass where they are allowed, but nothing that ends the value", () => {
    const reserved = parameter({ in: "query", allowReserved: true });
    expect(bindRequest(binding("/c", [reserved]), { color: "a/b:c?d,e&f#g+h" }).url).toMatch(
      /\?color=a\/b:c\?d,e%26f%23g%2Bh$/,
    );
  });

  test("`content` parameters are JSON", () => {
    const filter = parameter({ in: "query", content: "application/json" });
    expect(bindRequest(binding("/c", [filter]), { color: { a: "ü" } }).url).toMatch(
      /\?color=%7B%22a%22%3A%22%C3%BC%22%7D$/,
    );
    expect(bindRequest(binding("/c", [filter]), { color: "x" }).url).toMatch(/\?color=%22x%22$/);
    expect(bindRequest(binding("/c", [filter]), { color: {} }).url).toMatch(/\?color=%7B%7D$/);
  });

  test("a `querystring` parameter is the whole query", () => {
    const form = parameter({ in: "querystring", content: "application/x-www-form-urlencoded" });
    expect(bindRequest(binding("/c", [form]), { color: { a: 1, b: "x y" } }).url).toMatch(/\?a=1&b=x%20y$/);
    const json = parameter({ in: "querystring", content: "application/json" });
    expect(bindRequest(binding("/c", [json]), { color: { a: 1 } }).url).toMatch(/\?%7B%22a%22%3A1%7D$/);
  });

  test("a constant is sent unless the caller gives another value", () => {
    const version = parameter({ in: "query", default: "2" });
    expect(bindRequest(binding("/c", [version]), {}).url).toMatch(/\?color=2$/);
    expect(bindRequest(binding("/c", [version]), { color: "3" }).url).toMatch(/\?color=3$/);
  });
});

describe("headers and cookies", () => {
  test.each([
    [false, list, "blue,black,brown"],
    [true, map, "R=100,G=200,B=150"],
    [false, map, "R,100,G,200,B,150"],
    [false, "a b", "a b"],
  ])("a header, explode %s: %j gives %s", (explode, value, text) => {
    const header = parameter({ in: "header", name: "X-Color", argument: "color", explode });
    expect(bindRequest(binding("/c", [header]), { color: value }).headers["x-color"]).toBe(text);
  });

  test.each(["a\r\nX-Evil: 1", "a\nb", "a\0b", "日本"])("%j is refused in a header", (value) => {
    expectRefused(() => bindRequest(binding("/c", [parameter({ in: "header" })]), { color: value }), "color");
  });

  test.each([
    [true, "a b;c", "color=a%20b%3Bc"],
    [true, list, "color=blue&color=black&color=brown"],
    [false, list, "color=blue,black,brown"],
    [true, map, "R=100&G=200&B=150"],
  ])("a cookie, explode %s: %j gives %s", (explode, value, text) => {
    const bound = bindRequest(binding("/c", [parameter({ in: "cookie", explode })]), { color: value });
    expect(bound.headers["cookie"]).toBe(text);
  });

  test("cookies are joined; the style `cookie` sends values as they are and refuses what would end them", () => {
    const cookies = [
      parameter({ in: "cookie", name: "a", style: "cookie" }),
      parameter({ in: "cookie", name: "b" }),
    ];
    expect(bindRequest(binding("/c", cookies), { a: "x%20y", b: "z" }).headers["cookie"]).toBe(
      "a=x%20y; b=z",
    );
    expectRefused(() => bindRequest(binding("/c", cookies), { a: "x; admin=1" }), "a");
  });
});

describe("bodies", () => {
  test("members make a JSON object; explicit null stays, what is absent does not appear", () => {
    const bound = bindRequest(binding("/c", [], memberBody(["a", "b", "c"])), { a: 1, b: null });
    expect(bound.headers["content-type"]).toBe("application/json");
    expect(bound.body).toBe('{"a":1,"b":null}');
  });

  test("members with the names of built-in properties are members like any other", () => {
    const names = ["constructor", "toString", "__proto__"];
    expect(bindRequest(binding("/c", [], memberBody(names)), {}).body).toBe("{}");
    const args = JSON.parse('{"constructor":1,"__proto__":2}');
    expect(bindRequest(binding("/c", [], memberBody(names)), args).body).toBe(
      '{"constructor":1,"__proto__":2}',
    );
  });

  test("the media type keeps its parameters", () => {
    const body = wholeBody({ mediaType: "application/vnd.acme+json; charset=utf-8" });
    expect(bindRequest(binding("/c", [], body), { body: [1] }).headers["content-type"]).toBe(body.mediaType);
  });

  test("an optional body that is not given is no body", () => {
    const bound = bindRequest(binding("/c", [], wholeBody({ required: false })), {});
    expect(bound.body).toBeUndefined();
    expect(bound.headers["content-type"]).toBeUndefined();
  });

  test("forms: arrays repeat, objects are JSON unless a style says otherwise", () => {
    const deep = {
      contentType: undefined,
      style: "deepObject",
      explode: true,
      allowReserved: false,
      file: false,
    } as const;
    const json = { ...deep, style: undefined, contentType: "application/json" };
    const body = memberBody(["a", "b", "c", "d", "e"], {
      mediaType: "application/x-www-form-urlencoded",
      format: "form",
      encoding: { c: deep, d: json },
    });
    const args = { a: "x y&z", b: [1, 2], c: { k: { l: "v" } }, d: ["j"], e: { m: 1 } };
    const pairs = ["a=x+y%26z", "b=1", "b=2", "c[k][l]=v", "d=%5B%22j%22%5D", "e=%7B%22m%22%3A1%7D"];
    expect(bindRequest(binding("/c", [], body), args).body).toBe(pairs.join("&"));
  });

  test("multipart: files are decoded, types and names kept, and a part can't forge another", async () => {
    const encoding = {
      contentType: undefined,
      style: undefined,
      explode: false,
      allowReserved: false,
      file: true,
    } as const;
    const body = memberBody(["title", "file", "files", "meta"], {
      mediaType: "multipart/form-data",
      format: "multipart",
      encoding: { file: encoding, files: encoding },
    });
    const args = {
      title: 'x\r\n--gateway\r\nContent-Disposition: form-data; name="evil"\r\n\r\n1',
      file: "data:image/png;name=cat%22.png;base64,iVBORw0KGgo=",
      files: ["aGk=", "aG8="],
      meta: { a: 1 },
    };
    const bound = bindRequest(binding("/c", [], body), args);
    const form = await new Response(new Blob([bound.body ?? ""]), {
      headers: { "content-type": bound.headers["content-type"] ?? "" },
    }).formData();
    expect([...form.keys()]).toEqual(["title", "file", "files", "files", "meta"]);
    expect(form.get("title")).toBe(args.title);
    const file = form.get("file");
    expect(file).toMatchObject({ name: 'cat".png', type: "image/png", size: 8 });
    expect(await Promise.all(form.getAll("files").map((part) => (part as File).text()))).toEqual([
      "hi",
      "ho",
    ]);
    expect(form.get("meta")).toBe('{"a":1}');
    expect(bindRequest(binding("/c", [], body), args)).toEqual(bound);
  });

  test.each(["not base64!", 7, "data:broken"])("%j is refused as a file", (value) => {
    const body = wholeBody({ mediaType: "application/octet-stream", format: "binary" });
    expectRefused(() => bindRequest(binding("/c", [], body), { body: value }), "body");
  });

  test.each([
    ["binary", "image/png", "iVBORw0KGgo=", "iVBORw0KGgo="],
    ["text", "application/xml", "<a>ü</a>", Buffer.from("<a>ü</a>").toString("base64")],
    [
      "lines",
      "application/x-ndjson",
      [{ index: {} }, { a: 1 }],
      Buffer.from('{"index":{}}\n{"a":1}\n').toString("base64"),
    ],
  ] as const)("%s bodies (%s)", (format, mediaType, value, expected) => {
    const bound = bindRequest(binding("/c", [], wholeBody({ format, mediaType })), { body: value });
    expect(Buffer.from(bound.body ?? "").toString("base64")).toBe(expected);
    expect(bound.headers["content-type"]).toBe(mediaType);
  });
});
