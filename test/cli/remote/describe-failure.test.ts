import { describe, expect, test } from "vitest";
import { describeFailure } from "../../../src/cli/remote/describe-failure.ts";

/** As fetch tells it: the cause is below, sometimes below another one. */
function failed(code: string): Error {
  return new TypeError("fetch failed", { cause: Object.assign(new Error("below"), { code }) });
}

describe("a failure of the way to a gateway says what to do", () => {
  const url = new URL("https://gw.example.com:8443/api/v1/users");
  test.each([
    ["ECONNREFUSED", "Nothing listens at https://gw.example.com:8443."],
    ["ENOTFOUND", "There is no host `gw.example.com`"],
    ["EAI_AGAIN", "There is no host `gw.example.com`"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "NODE_EXTRA_CA_CERTS"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "NODE_EXTRA_CA_CERTS"],
    ["CERT_HAS_EXPIRED", "is not trusted (CERT_HAS_EXPIRED)"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "The certificate of gw.example.com:8443 is not trusted"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "Should it be http://?"],
    ["EHOSTUNREACH", "https://gw.example.com:8443 can't be reached (EHOSTUNREACH)."],
  ])("%s", (code, words) => {
    expect(describeFailure(failed(code), url)).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringContaining(words),
    });
  });

  test("several addresses that all refuse", () => {
    const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    const error = new TypeError("fetch failed", { cause: new AggregateError([refused, refused]) });
    expect(describeFailure(error, url).message).toContain("Nothing listens");
  });

  test("no answer in time", () => {
    expect(describeFailure(new DOMException("late", "TimeoutError"), url).message).toContain(
      "within 30 seconds",
    );
  });

  test("whatever else is thrown", () => {
    expect(describeFailure("broken", url).message).toBe("https://gw.example.com:8443 can't be reached.");
  });
});
