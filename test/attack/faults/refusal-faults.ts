import { type ByKind, type Fault, failed, fault, refused } from "./fault.ts";
import { answer, type Wire } from "./wire.ts";

/** What each kind makes of a status that is no success. */
function status(code: number, further: ByKind = {}): ByKind {
  const says = new RegExp(`HTTP ${code}`);
  const number = new RegExp(String(code));
  return {
    HTTP: refused(says),
    MCP: failed(says),
    "token endpoint": failed(/./),
    JWKS: failed(number),
    ...further,
  };
}

function redirect(name: string, line: string, location: (wire: Wire) => string | undefined): Fault {
  const code = Number(line.slice(0, 3));
  return fault(
    name,
    (wire) => {
      const target = location(wire);
      answer(wire, "", { status: line, headers: target === undefined ? [] : [`Location: ${target}`] });
    },
    status(code, { "token endpoint": failed(/elsewhere, which is not followed/) }),
  );
}

const metadata = "http://169.254.169.254/latest/meta-data/iam/";

/** Refusals and redirects with something absurd about them. */
export const refusalFaults: readonly Fault[] = [
  redirect("redirects to a metadata address (302)", "302 Found", () => metadata),
  redirect("redirects to a metadata address (307)", "307 Temporary Redirect", () => metadata),
  redirect("redirects to itself without end", "308 Permanent Redirect", ({ url }) => url),
  redirect("redirects to a relative address", "301 Moved Permanently", () => "//169.254.169.254/x"),
  redirect("redirects to a file", "303 See Other", () => "file:///etc/passwd"),
  redirect("redirects nowhere", "302 Found", () => undefined),
  redirect("redirects to an address of 10 KB", "302 Found", ({ url }) => `${url}/${"a".repeat(10_000)}`),
  fault(
    "answers 401 and names a metadata address",
    (wire) =>
      answer(wire, "{}", {
        status: "401 Unauthorized",
        headers: [`WWW-Authenticate: Bearer resource_metadata="${metadata}", error="invalid_token"`],
      }),
    status(401),
  ),
  fault(
    "answers 401 with a challenge of 10 KB",
    (wire) =>
      answer(wire, "{}", {
        status: "401 Unauthorized",
        headers: [`WWW-Authenticate: ${'Bearer realm="'.repeat(700)}`],
      }),
    status(401),
  ),
  fault("answers 403", (wire) => answer(wire, "", { status: "403 Forbidden" }), status(403)),
  fault("answers 404", (wire) => answer(wire, "{}", { status: "404 Not Found" }), {
    ...status(404),
    MCP: failed(/HTTP 404/),
    JWKS: failed(/nothing at/),
  }),
  fault(
    "answers 407",
    (wire) =>
      answer(wire, "", {
        status: "407 Proxy Authentication Required",
        headers: ["Proxy-Authenticate: Basic"],
      }),
    status(407),
  ),
  fault(
    "answers 429 and asks to wait for three thousand years",
    (wire) => answer(wire, "{}", { status: "429 Too Many Requests", headers: ["Retry-After: 99999999999"] }),
    status(429),
  ),
  fault(
    "answers 429 and asks to wait for less than nothing",
    (wire) => answer(wire, "{}", { status: "429 Too Many Requests", headers: ["Retry-After: -5"] }),
    status(429),
  ),
  fault(
    "answers 503 and asks to wait until the year 9999",
    (wire) =>
      answer(wire, "{}", {
        status: "503 Service Unavailable",
        headers: ["Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"],
      }),
    status(503),
  ),
  fault(
    "answers 500 with a page of 8 MiB",
    (wire) =>
      answer(wire, "<h1>Oops</h1>".padEnd(8 * 1024 * 1024, "x"), {
        status: "500 Internal Server Error",
        type: "text/html",
      }),
    status(500, {
      OAuth: failed(/more than|500/, "answer_too_large"),
      "token endpoint": failed(/more than|500/, "answer_too_large"),
      JWKS: failed(/more than|500/, "answer_too_large"),
    }),
  ),
  fault(
    "answers 502 with a stack trace",
    (wire) =>
      answer(wire, "TypeError: x is undefined\n    at handle (/srv/app/secret.js:1:1)", {
        status: "502 Bad Gateway",
        type: "text/plain",
      }),
    status(502),
  ),
];
