import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { providerOfUri, toClientUri, toUpstreamUri } from "../../src/catalog/resource-uri.ts";

const files = { name: "my_files", toolPrefix: "my_files_" };
const plain = { name: "my_files", toolPrefix: "" };

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/);
const owner = fc.record({ name, toolPrefix: fc.constantFrom("", "a_", "b_") });
const uri = fc.oneof(
  fc.webUrl(),
  fc.string(),
  fc.constantFrom(
    "file:///a",
    "file:///{path}",
    "{+uri}",
    "gw-a+file:///a",
    "HTTPS://x",
    "https:",
    "gw-b+",
    "",
  ),
);

describe("the URI that clients know", () => {
  test.each([
    [files, "file:///a", "gw-my.files+file:///a"],
    [files, "file:///{dir}/{name}{?x*}", "gw-my.files+file:///{dir}/{name}{?x*}"],
    [files, "https://example.com/a", "https://example.com/a"],
    [files, "HTTP://example.com/a", "HTTP://example.com/a"],
    [files, "gw-my.files+file:///a", "gw-my.files+gw-my.files+file:///a"],
    [plain, "file:///a", "file:///a"],
    [{ name: "0-a", toolPrefix: "x" }, "a:b", "gw-0-a+a:b"],
  ])("of %j for %s", (provider, own, client) => {
    expect(toClientUri(provider, own)).toBe(client);
    expect(toUpstreamUri(provider, client)).toBe(own);
  });

  test("is a URI like any other: what makes it canonical leaves it alone", () => {
    expect(new URL(toClientUri(files, "file:///a")).href).toBe("gw-my.files+file:///a");
    expect(new URL(toClientUri(files, "memo://x/y?z#w")).href).toBe("gw-my.files+memo://x/y?z#w");
  });

  test("stands for one URI of its provider", () => {
    fc.assert(
      fc.property(owner, uri, (provider, own) => {
        expect(toUpstreamUri(provider, toClientUri(provider, own))).toBe(own);
      }),
    );
  });

  test("is of no other provider, unless clients may fetch it themselves", () => {
    fc.assert(
      fc.property(name, name, uri, uri, (first, second, one, other) => {
        fc.pre(first !== second && !/^https?:/i.test(one));
        const [mine, yours] = [first, second].map((each) => ({ name: each, toolPrefix: "x_" }));
        if (mine === undefined || yours === undefined) return;
        const client = toClientUri(mine, one);
        expect(providerOfUri(client)).toBe(first);
        expect(toUpstreamUri(yours, client)).toBeUndefined();
        expect(client).not.toBe(toClientUri(yours, other));
      }),
    );
  });
});

test.each(["file:///a", "https://gw-a+b", "gw-+file:///a", "gw-a", "GW-a+file:///a", "gw-a/b+c", ""])(
  "%j is in no namespace",
  (text) => {
    expect(providerOfUri(text)).toBeUndefined();
  },
);
