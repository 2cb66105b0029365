import type { JsonObject } from "../../src/model/json.ts";
import {
  encode,
  hmacOf,
  type JwtStage,
  makeSigningKey,
  type Part,
  type SigningKey,
  signatureOf,
  signParts,
  withSignature,
} from "./jwt-stage.ts";

/** A token that must not let anybody in, by what is wrong with it. */
export type TokenCase = readonly [name: string, token: (stage: JwtStage) => string];

/** Keys of nobody whom the gateway trusts. */
const attacker = {
  rsa: makeSigningKey("rsa", "RS256"),
  ec: makeSigningKey("ec", "ES256"),
  ed: makeSigningKey("ed", "EdDSA"),
  wide: makeSigningKey("ec", "ES384"),
};

/** The header of a good token by the issuer's key for P-256. */
const header = { alg: "ES256", kid: "ec", typ: "at+jwt" };

/** The claims of a good token. */
export function claimsOf({ issuer, audience, time }: JwtStage, subject = "ada") {
  const seconds = Math.floor(time / 1000);
  return { iss: issuer, sub: subject, aud: audience, iat: seconds, nbf: seconds, exp: seconds + 300 };
}

/** A good token; with other claims or members of the header where they are given, `undefined` for without them. */
export function tokenOf(stage: JwtStage, claims: object = {}, more: object = {}, key = stage.ec): string {
  const own = { alg: key.alg, kid: key.kid, typ: "at+jwt" };
  return signParts(key, { ...own, ...more }, { ...claimsOf(stage), ...claims });
}

/** The same as texts, for JSON that no writer would write. */
function tokenOfTexts(stage: JwtStage, texts: { readonly header?: Part; readonly claims?: Part }): string {
  return signParts(stage.ec, texts.header ?? header, texts.claims ?? claimsOf(stage));
}

/** JSON text of an object with more behind its last member. */
function withMembers(object: object, members: string): string {
  return `${JSON.stringify(object).slice(0, -1)},${members}}`;
}

const noneSpellings = [
  "none",
  "None",
  "NONE",
  "nOnE",
  "none ",
  " none",
  "none\u0000",
  "n\u043ene",
  "null",
  "",
  "0",
];

const unsigned: readonly TokenCase[] = [
  ...noneSpellings.flatMap((alg): readonly TokenCase[] => [
    [
      `alg ${JSON.stringify(alg)} without a signature`,
      (stage) => withSignature({ alg, typ: "JWT" }, claimsOf(stage), () => ""),
    ],
    [
      `alg ${JSON.stringify(alg)} with a signature`,
      (stage) => signParts(stage.ec, { ...header, alg }, claimsOf(stage)),
    ],
  ]),
  ...[undefined, null, true, 256, [], ["none"], ["ES256"], { ES256: true }].map(
    (alg): TokenCase => [
      `alg ${JSON.stringify(alg)}`,
      (stage) => signParts(stage.ec, { ...header, alg }, claimsOf(stage)),
    ],
  ),
];

/** Whatever of a public key somebody may have passed to HMAC as the secret. */
const publicSecrets: readonly (readonly [string, (key: SigningKey) => string | Uint8Array])[] = [
  ["PEM", ({ publicKey }) => publicKey.export({ type: "spki", format: "pem" })],
  [
    "PEM without its last line break",
    ({ publicKey }) => publicKey.export({ type: "spki", format: "pem" }).toString().trim(),
  ],
  ["DER", ({ publicKey }) => publicKey.export({ type: "spki", format: "der" })],
  ["JWK as published", ({ jwk }) => JSON.stringify(jwk)],
  ["JWK as exported", ({ publicKey }) => JSON.stringify(publicKey.export({ format: "jwk" }))],
  [
    "modulus or coordinate",
    ({ publicKey }) =>
      Buffer.from(
        String(publicKey.export({ format: "jwk" }).n ?? publicKey.export({ format: "jwk" }).x),
        "base64url",
      ),
  ],
  ["empty text", () => ""],
];

const confused: readonly TokenCase[] = ["256", "384", "512"].flatMap((bits) =>
  publicSecrets.flatMap(([form, secretOf]) =>
    (["rsa", "ec"] as const).map(
      (name): TokenCase => [
        `HS${bits} by the ${name} key (${form})`,
        (stage) =>
          withSignature({ alg: `HS${bits}`, kid: name, typ: "JWT" }, claimsOf(stage), (input) =>
            hmacOf(bits, secretOf(stage[name]), input),
          ),
      ],
    ),
  ),
);

const algorithms: readonly TokenCase[] = [
  [
    "an algorithm that is not allowed (RS512), well signed",
    (stage) =>
      withSignature({ alg: "RS512", kid: "rsa" }, claimsOf(stage), (input) =>
        signatureOf(stage.rsa, input, "sha512"),
      ),
  ],
  ["ES384 in the header, signed by P-256", (stage) => tokenOf(stage, {}, { alg: "ES384" })],
  ["ES256 in the header, signed by RSA", (stage) => tokenOf(stage, {}, { alg: "ES256" }, stage.rsa)],
  ["RS256 in the header, signed by P-256", (stage) => tokenOf(stage, {}, { alg: "RS256" })],
  ["RS256 and the RSA key, signed by P-256", (stage) => tokenOf(stage, {}, { alg: "RS256", kid: "rsa" })],
  ["EdDSA in the header, signed by P-256", (stage) => tokenOf(stage, {}, { alg: "EdDSA" })],
  ["the key for RSA by another name", (stage) => tokenOf(stage, {}, { kid: "ec" }, stage.rsa)],
  ...[
    "es256",
    "ES256 ",
    "ES256\u0000",
    "ES256K",
    "PS256",
    "HS256",
    "RSA1_5",
    "dir",
    "A128KW",
    "constructor",
    "__proto__",
    "toString",
  ].map((alg): TokenCase => [`the algorithm ${JSON.stringify(alg)}`, (stage) => tokenOf(stage, {}, { alg })]),
];

const issuers: readonly TokenCase[] = [
  ["no iss", (stage) => tokenOf(stage, { iss: undefined })],
  ["iss with a slash more", (stage) => tokenOf(stage, { iss: `${stage.issuer}/` })],
  ["iss in upper case", (stage) => tokenOf(stage, { iss: stage.issuer.toUpperCase() })],
  [
    "iss by another name of the host",
    (stage) => tokenOf(stage, { iss: stage.issuer.replace("127.0.0.1", "localhost") }),
  ],
  ["iss with a space behind", (stage) => tokenOf(stage, { iss: `${stage.issuer} ` })],
  ["iss with more behind", (stage) => tokenOf(stage, { iss: `${stage.issuer}.evil.example` })],
  ["iss with a user", (stage) => tokenOf(stage, { iss: stage.issuer.replace("//", "//a@") })],
  ["iss in a list", (stage) => tokenOf(stage, { iss: [stage.issuer] })],
  ["iss of the gateway", (stage) => tokenOf(stage, { iss: stage.url })],
  ["iss of a stranger", (stage) => tokenOf(stage, { iss: stage.canary.url })],
  ["iss that is empty", (stage) => tokenOf(stage, { iss: "" })],
  ["another issuer's token in the first one's name", (stage) => tokenOf(stage, {}, {}, stage.otherKey)],
  ["the first issuer's token in another one's name", (stage) => tokenOf(stage, { iss: stage.otherIssuer })],
];

const audiences: readonly TokenCase[] = [
  ["no aud", (stage) => tokenOf(stage, { aud: undefined })],
  ...[
    "",
    "https://other.example/mcp",
    "https://gateway.example",
    "https://gateway.example/",
    "https://gateway.example/mcp/",
    "https://gateway.example/mcp2",
    "https://gateway.example/mcp https://other.example",
    "https://gateway.example/mcp#",
    "https://gateway.example:443/mcp",
    "HTTPS://GATEWAY.EXAMPLE/mcp",
    " https://gateway.example/mcp",
    "https://gateway.example/*",
    "*",
  ].map((aud): TokenCase => [`aud ${JSON.stringify(aud)}`, (stage) => tokenOf(stage, { aud })]),
  ["aud of the gateway's own address", (stage) => tokenOf(stage, { aud: stage.url })],
  ["aud in a list of others", (stage) => tokenOf(stage, { aud: ["a", "b"] })],
  ["aud in an empty list", (stage) => tokenOf(stage, { aud: [] })],
  ["aud in a list within a list", (stage) => tokenOf(stage, { aud: [[stage.audience]] })],
  ["aud in a list with something else than texts", (stage) => tokenOf(stage, { aud: [stage.audience, 1] })],
  ["aud in an object", (stage) => tokenOf(stage, { aud: { [stage.audience]: true } })],
  ["aud null", (stage) => tokenOf(stage, { aud: null })],
];

const subjects: readonly TokenCase[] = [
  undefined,
  null,
  "",
  " ",
  1,
  true,
  [],
  ["ada"],
  {},
  "a\u0000b",
  "ada\n",
  "a\u202eb",
  "ad\u200ba",
  "\ud800",
  "x".repeat(256),
].map((sub): TokenCase => [`sub ${JSON.stringify(sub)?.slice(0, 30)}`, (stage) => tokenOf(stage, { sub })]);

/** By how many seconds a time differs from the gateway's clock. */
const times: readonly (readonly [string, string, number])[] = [
  ["expired long ago", "exp", -86_400],
  ["expired 61 s ago", "exp", -61],
  ["expired 60 s ago", "exp", -60],
  ["good from 61 s on", "nbf", 61],
  ["good from tomorrow on", "nbf", 86_400],
  ["issued in 61 s", "iat", 61],
  ["issued tomorrow", "iat", 86_400],
];

const lifetimes: readonly TokenCase[] = [
  ...times.map(
    ([name, claim, seconds]): TokenCase => [
      name,
      (stage) => tokenOf(stage, { [claim]: Math.floor(stage.time / 1000) + seconds }),
    ],
  ),
  ["no exp", (stage) => tokenOf(stage, { exp: undefined })],
  ["exp in milliseconds", (stage) => tokenOf(stage, { exp: stage.time + 300_000 })],
  ["exp as a text", (stage) => tokenOf(stage, { exp: String(Math.floor(stage.time / 1000) + 300) })],
  ["exp as a date", (stage) => tokenOf(stage, { exp: new Date(stage.time + 300_000).toISOString() })],
  ["exp null", (stage) => tokenOf(stage, { exp: null })],
  ["exp true", (stage) => tokenOf(stage, { exp: true })],
  ["exp 0", (stage) => tokenOf(stage, { exp: 0 })],
  ["exp below zero", (stage) => tokenOf(stage, { exp: -1 })],
  ["exp in a list", (stage) => tokenOf(stage, { exp: [9_999_999_999] })],
  [
    "exp beyond all numbers",
    (stage) =>
      tokenOfTexts(stage, { claims: withMembers({ ...claimsOf(stage), exp: undefined }, '"exp":1e999') }),
  ],
  ["nbf as a text", (stage) => tokenOf(stage, { nbf: "0" })],
  ["nbf null", (stage) => tokenOf(stage, { nbf: null })],
  ["iat as a text", (stage) => tokenOf(stage, { iat: "0" })],
  ["iat in milliseconds", (stage) => tokenOf(stage, { iat: stage.time })],
];

const purposes: readonly TokenCase[] = [
  ...[
    undefined,
    "",
    "id+jwt",
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "JWE",
    "jwt+at",
    "application/application/jwt",
    "text/jwt",
    1,
    null,
    ["JWT"],
  ].map((typ): TokenCase => [`typ ${JSON.stringify(typ)}`, (stage) => tokenOf(stage, {}, { typ })]),
  ["an ID token by its nonce", (stage) => tokenOf(stage, { nonce: "n" })],
  ["an ID token by its at_hash", (stage) => tokenOf(stage, { at_hash: "h" })],
  ["an ID token by its c_hash", (stage) => tokenOf(stage, { c_hash: "h" })],
  ["an ID token of Keycloak", (stage) => tokenOf(stage, { typ: "ID" })],
  ["a refresh token of Keycloak", (stage) => tokenOf(stage, { typ: "Refresh" })],
  ["an ID token of Cognito", (stage) => tokenOf(stage, { token_use: "id" })],
  [
    "a logout token",
    (stage) => tokenOf(stage, { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }),
  ],
  [
    "bound to a key (DPoP)",
    (stage) => tokenOf(stage, { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
  ],
  [
    "bound to a certificate",
    (stage) => tokenOf(stage, { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }),
  ],
  ["bound to nothing", (stage) => tokenOf(stage, { cnf: null })],
  ["a nested token (cty)", (stage) => tokenOf(stage, {}, { cty: "JWT" })],
  ["a nested token", (stage) => signParts(stage.ec, { ...header, cty: "JWT" }, tokenOf(stage))],
  ["a token as the claims", (stage) => signParts(stage.ec, header, tokenOf(stage))],
  ["a client that is no text", (stage) => tokenOf(stage, { client_id: ["agent"] })],
  ["scopes that are no texts", (stage) => tokenOf(stage, { scope: { mcp: true } })],
];

const embedded: readonly TokenCase[] = [
  ["its own key (jwk)", () => attacker.ec.jwk, "jwk"] as const,
  ["the issuer's key (jwk)", (stage: JwtStage) => stage.ec.jwk, "jwk"] as const,
  ["no key (jwk)", () => null, "jwk"] as const,
  ["an address of keys (jku)", (stage: JwtStage) => `${stage.canary.url}/keys`, "jku"] as const,
  ["the issuer's address of keys (jku)", (stage: JwtStage) => `${stage.issuer}/keys`, "jku"] as const,
  ["an address of certificates (x5u)", (stage: JwtStage) => `${stage.canary.url}/cert`, "x5u"] as const,
  ["crit", () => ["exp"], "crit"] as const,
  ["crit of nothing", () => [], "crit"] as const,
  ["crit that is no list", () => "exp", "crit"] as const,
  ["crit with b64", () => ["b64"], "crit"] as const,
  ["b64 false", () => false, "b64"] as const,
  ["b64 true", () => true, "b64"] as const,
  ["zip", () => "DEF", "zip"] as const,
].flatMap(([name, write, member]): readonly TokenCase[] => [
  [`${name}, by the issuer's key`, (stage) => tokenOf(stage, {}, { [member]: write(stage) })],
  [`${name}, by an attacker's key`, (stage) => tokenOf(stage, {}, { [member]: write(stage) }, attacker.ec)],
]);

const keyIds: readonly TokenCase[] = [
  [
    "certificates of an attacker (x5c)",
    (stage) =>
      tokenOf(
        stage,
        {},
        { x5c: [encode(attacker.rsa.publicKey.export({ type: "spki", format: "der" }))] },
        attacker.rsa,
      ),
  ],
  ...[
    "",
    "EC",
    "ec ",
    "nobody",
    "../../../../dev/null",
    "ec' OR '1'='1",
    "http://127.0.0.1/",
    "__proto__",
    "constructor",
    0,
    null,
    ["ec"],
    {},
  ].map((kid): TokenCase => [`kid ${JSON.stringify(kid)}`, (stage) => tokenOf(stage, {}, { kid })]),
  ["no kid, by an attacker's key", (stage) => tokenOf(stage, {}, { kid: undefined }, attacker.ec)],
];

const ambiguous: readonly TokenCase[] = [
  ["alg twice", (stage) => tokenOfTexts(stage, { header: withMembers(header, '"alg":"ES256"') })],
  [
    "alg twice, once with an escape",
    (stage) => tokenOfTexts(stage, { header: withMembers(header, '"\\u0061lg":"none"') }),
  ],
  ["kid twice", (stage) => tokenOfTexts(stage, { header: withMembers(header, '"kid":"ec"') })],
  [
    "a member that is nothing to us twice",
    (stage) => tokenOfTexts(stage, { header: withMembers(header, '"x":1,"x":2') }),
  ],
  [
    "__proto__ in the header",
    (stage) => tokenOfTexts(stage, { header: withMembers(header, '"__proto__":{"kid":"ec"}') }),
  ],
  ...(["iss", "sub", "aud", "exp", "iat", "nbf"] as const).map(
    (name): TokenCase => [
      `${name} twice`,
      (stage) =>
        tokenOfTexts(stage, {
          claims: withMembers(claimsOf(stage), `"${name}":${JSON.stringify(claimsOf(stage)[name])}`),
        }),
    ],
  ),
  [
    "sub twice, once with an escape",
    (stage) => tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), '"s\\u0075b":"root"') }),
  ],
  [
    "a member twice further down",
    (stage) => tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), '"a":[{"b":{"c":1,"c":2}}]') }),
  ],
  [
    "__proto__ in the claims",
    (stage) =>
      tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), '"__proto__":{"roles":["operator"]}') }),
  ],
  [
    "__proto__ with an escape",
    (stage) =>
      tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), '"__pro\\u0074o__":{"sub":"root"}') }),
  ],
  [
    "__proto__ further down",
    (stage) => tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), '"a":{"__proto__":1}') }),
  ],
  [
    "claims in a __proto__",
    (stage) => tokenOfTexts(stage, { claims: `{"__proto__":${JSON.stringify(claimsOf(stage))}}` }),
  ],
  [
    "nesting without an end",
    (stage) =>
      tokenOfTexts(stage, {
        claims: withMembers(claimsOf(stage), `"a":${"[".repeat(2_000)}${"]".repeat(2_000)}`),
      }),
  ],
  ...["[]", "null", '"text"', "1", "", "{", "{}"].flatMap((text): readonly TokenCase[] => [
    [`${JSON.stringify(text)} for the header`, (stage) => tokenOfTexts(stage, { header: text })],
    [`${JSON.stringify(text)} for the claims`, (stage) => tokenOfTexts(stage, { claims: text })],
  ]),
  ["claims in a list", (stage) => tokenOfTexts(stage, { claims: [claimsOf(stage)] })],
  ["a comma too many", (stage) => tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), "") })],
  ["a comment", (stage) => tokenOfTexts(stage, { claims: withMembers(claimsOf(stage), '/**/"a":1') })],
  [
    "something behind the claims",
    (stage) => tokenOfTexts(stage, { claims: `${JSON.stringify(claimsOf(stage))}{}` }),
  ],
  [
    "a NUL behind the claims",
    (stage) => tokenOfTexts(stage, { claims: `${JSON.stringify(claimsOf(stage))}\u0000` }),
  ],
  [
    "a byte order mark",
    (stage) => tokenOfTexts(stage, { claims: `\ufeff${JSON.stringify(claimsOf(stage))}` }),
  ],
  [
    "UTF-16",
    (stage) => tokenOfTexts(stage, { claims: Buffer.from(JSON.stringify(claimsOf(stage)), "utf16le") }),
  ],
  [
    "bytes that are not UTF-8",
    (stage) =>
      tokenOfTexts(stage, {
        claims: Buffer.concat([
          Buffer.from(withMembers(claimsOf(stage), '"note":"').slice(0, -1)),
          Buffer.from([0xff]),
          Buffer.from('"}'),
        ]),
      }),
  ],
];

/** A good token's parts. */
function partsOf(stage: JwtStage): readonly [string, string, string] {
  const [first = "", second = "", third = ""] = tokenOf(stage).split(".");
  return [first, second, third];
}

function reshape(
  change: (parts: readonly [string, string, string], stage: JwtStage) => string,
): TokenCase[1] {
  return (stage) => change(partsOf(stage), stage);
}

const forms: readonly TokenCase[] = [
  ["one part", reshape(([head]) => head)],
  ["two parts", reshape(([head, claims]) => `${head}.${claims}`)],
  ["two parts and a dot", reshape(([head, claims]) => `${head}.${claims}.`)],
  ["four parts", reshape((parts) => `${parts.join(".")}.AA`)],
  ["a dot behind", reshape((parts) => `${parts.join(".")}.`)],
  ["a dot before", reshape((parts) => `.${parts.join(".")}`)],
  ["no header", reshape(([, claims, signature]) => `.${claims}.${signature}`)],
  ["no claims (detached)", reshape(([head, , signature]) => `${head}..${signature}`)],
  ["nothing but dots", () => ".."],
  [
    "encrypted (five parts)",
    (stage) =>
      `${encode({ alg: "RSA-OAEP-256", enc: "A256GCM", kid: "rsa" })}.AA.AA.${encode(claimsOf(stage))}.AA`,
  ],
  [
    "encrypted (dir, three parts)",
    (stage) => `${encode({ alg: "dir", enc: "A256GCM" })}.${encode(claimsOf(stage))}.AA`,
  ],
  [
    "the flattened JSON form",
    reshape(([head, payload, signature]) => JSON.stringify({ protected: head, payload, signature })),
  ],
  [
    "the general JSON form",
    reshape(([head, payload, signature]) =>
      JSON.stringify({ payload, signatures: [{ protected: head, signature }] }),
    ),
  ],
  [
    "the JSON form in base64url",
    reshape(([head, payload, signature]) => encode({ protected: head, payload, signature })),
  ],
  ["padding", reshape(([head, claims, signature]) => `${head}.${claims}.${signature}==`)],
  ["padding within", reshape(([head, claims, signature]) => `${head}=.${claims}.${signature}`)],
  [
    "plain base64",
    (stage) =>
      tokenOf(stage, { note: "???>>>" })
        .replaceAll("-", "+")
        .replaceAll("_", "/")
        .replace(/^([^+/]*)$/, "$1+"),
  ],
  [
    "bits that mean nothing",
    reshape(
      ([head, claims, signature]) =>
        `${head}.${claims}.${signature.slice(0, -1)}${nextOf(signature.slice(-1))}`,
    ),
  ],
  [
    "a part of impossible length",
    reshape(([head, claims, signature]) => `${head}.${claims}.${signature}AAA`),
  ],
  ["a space within", reshape((parts) => parts.join(". "))],
  ["two tokens", reshape((parts) => `${parts.join(".")},${parts.join(".")}`)],
  ["the scheme twice", reshape((parts) => `Bearer ${parts.join(".")}`)],
  ["quotes around", reshape((parts) => `"${parts.join(".")}"`)],
  ["an API token's prefix", reshape((parts) => `gst_api_${parts.join(".")}`)],
  ["an access token's prefix", reshape((parts) => `gst_oat_${parts.join(".")}`)],
  ["more than the headers hold", (stage) => tokenOf(stage, { more: "x".repeat(30_000) })],
  ["as much as the headers hold", (stage) => tokenOf(stage, { aud: "other", more: "x".repeat(9_000) })],
];

/** Another character of base64url that differs in the lowest bit alone. */
function nextOf(character: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(character) ^ 1] ?? "";
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** The order of P-256, and one below and above it. */
const order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

function signedBy(change: (signature: Buffer, input: Buffer, stage: JwtStage) => Uint8Array): TokenCase[1] {
  return (stage) =>
    withSignature(header, claimsOf(stage), (input) => change(signatureOf(stage.ec, input), input, stage));
}

const signatures: readonly TokenCase[] = [
  ...[0, 1, 7, 100, 255, 256, 300, 511].map(
    (bit): TokenCase => [
      `bit ${bit} of the signature flipped`,
      signedBy((signature) => flipBit(signature, bit)),
    ],
  ),
  ...[1, 16, 32, 63].map(
    (length): TokenCase => [
      `a signature of ${length} bytes`,
      signedBy((signature) => signature.subarray(0, length)),
    ],
  ),
  ["a byte more", signedBy((signature) => Buffer.concat([signature, Buffer.alloc(1)]))],
  ["a zero before", signedBy((signature) => Buffer.concat([Buffer.alloc(1), signature]))],
  ["the signature twice", signedBy((signature) => Buffer.concat([signature, signature]))],
  [
    "its halves changed",
    signedBy((signature) => Buffer.concat([signature.subarray(32), signature.subarray(0, 32)])),
  ],
  ["r = s = 0", signedBy(() => Buffer.alloc(64))],
  ["r = 0", signedBy((signature) => Buffer.concat([Buffer.alloc(32), signature.subarray(32)]))],
  ["s = 0", signedBy((signature) => Buffer.concat([signature.subarray(0, 32), Buffer.alloc(32)]))],
  [
    "r = s = 1",
    signedBy(() => Buffer.concat([Buffer.alloc(31), Buffer.from([1]), Buffer.alloc(31), Buffer.from([1])])),
  ],
  ["r = s = the order of the curve", signedBy(() => Buffer.from(order + order, "hex"))],
  ["r = the order, s = 0", signedBy(() => Buffer.from(order + "0".repeat(64), "hex"))],
  ["all ones", signedBy(() => Buffer.alloc(64, 0xff))],
  ["in DER", (stage) => withSignature(header, claimsOf(stage), () => Buffer.from(`3006020100020100`, "hex"))],
  ["random bytes", signedBy(() => Buffer.from("5a".repeat(64), "hex"))],
  [
    "an RSA signature of zeros",
    (stage) =>
      withSignature({ ...header, alg: "RS256", kid: "rsa" }, claimsOf(stage), () => Buffer.alloc(256)),
  ],
  [
    "an RSA signature of one",
    (stage) =>
      withSignature({ ...header, alg: "RS256", kid: "rsa" }, claimsOf(stage), () =>
        Buffer.concat([Buffer.alloc(255), Buffer.from([1])]),
      ),
  ],
  [
    "an RSA signature with zeros before",
    (stage) =>
      withSignature({ ...header, alg: "RS256", kid: "rsa" }, claimsOf(stage), (input) =>
        Buffer.concat([Buffer.alloc(4), signatureOf(stage.rsa, input)]),
      ),
  ],
  [
    "an RSA signature with another hash",
    (stage) =>
      withSignature({ ...header, alg: "RS256", kid: "rsa" }, claimsOf(stage), (input) =>
        signatureOf(stage.rsa, input, "sha1"),
      ),
  ],
  [
    "an Ed25519 signature of zeros",
    (stage) => withSignature({ ...header, alg: "EdDSA", kid: "ed" }, claimsOf(stage), () => Buffer.alloc(64)),
  ],
  [
    "an Ed25519 signature by the neutral point",
    (stage) =>
      withSignature({ ...header, alg: "EdDSA", kid: "ed" }, claimsOf(stage), () =>
        Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]),
      ),
  ],
  [
    "the signature of another token",
    (stage) => {
      const [head, , signature] = partsOf(stage);
      return `${head}.${encode(claimsOf(stage, "root"))}.${signature}`;
    },
  ],
  [
    "the signature of another header",
    (stage) => {
      const [, claims, signature] = partsOf(stage);
      return `${encode({ ...header, typ: "JWT" })}.${claims}.${signature}`;
    },
  ],
  ["an attacker's key by the same id (P-256)", (stage) => tokenOf(stage, {}, {}, attacker.ec)],
  ["an attacker's key by the same id (RSA)", (stage) => tokenOf(stage, {}, {}, attacker.rsa)],
  ["an attacker's key by the same id (Ed25519)", (stage) => tokenOf(stage, {}, {}, attacker.ed)],
  ["an attacker's key on another curve", (stage) => tokenOf(stage, {}, { alg: "ES256" }, attacker.wide)],
];

/** All of them, by what they try. */
export const attacks: Readonly<Record<string, readonly TokenCase[]>> = {
  "a token that nobody has signed": unsigned,
  "a token whose signature takes a public key for a secret": confused,
  "a token of another algorithm": algorithms,
  "a token of another issuer": issuers,
  "a token for another audience": audiences,
  "a token about nobody": subjects,
  "a token of another time": lifetimes,
  "a token for another purpose": purposes,
  "a token that brings its own key, or rules": embedded,
  "a token by a key that is none of the issuer's": keyIds,
  "a token that two parsers read differently": ambiguous,
  "a token in another form": forms,
  "a token with a forged signature": signatures,
};

/** Tokens that are good, though close to one that is not. */
export const good: readonly (readonly [string, (stage: JwtStage) => string])[] = [
  ["by P-256", (stage) => tokenOf(stage)],
  ["by RSA", (stage) => tokenOf(stage, {}, {}, stage.rsa)],
  ["by Ed25519", (stage) => tokenOf(stage, {}, {}, stage.ed)],
  ["without a kid", (stage) => tokenOf(stage, {}, { kid: undefined })],
  ["with the type JWT", (stage) => tokenOf(stage, {}, { typ: "JWT" })],
  ["with the whole media type", (stage) => tokenOf(stage, {}, { typ: "application/at+jwt" })],
  ["with certificates that nobody looks at", (stage) => tokenOf(stage, {}, { x5c: ["AAAA"], x5t: "AAAA" })],
  ["for a list of audiences", (stage) => tokenOf(stage, { aud: ["other", stage.audience] })],
  ["of the other issuer", (stage) => tokenOf(stage, { iss: stage.otherIssuer }, {}, stage.otherKey)],
  ["that expired 59 s ago", (stage) => tokenOf(stage, { exp: Math.floor(stage.time / 1000) - 59 })],
  ["that is good from 60 s on", (stage) => tokenOf(stage, { nbf: Math.floor(stage.time / 1000) + 60 })],
  ["that was issued in 60 s", (stage) => tokenOf(stage, { iat: Math.floor(stage.time / 1000) + 60 })],
  ["with parts of seconds", (stage) => tokenOf(stage, { exp: stage.time / 1000 + 1.5 })],
  ["without iat and nbf", (stage) => tokenOf(stage, { iat: undefined, nbf: undefined })],
  ["with a subject of 255 characters", (stage) => tokenOf(stage, { sub: "x".repeat(255) })],
  [
    "with claims that mean nothing",
    (stage) =>
      tokenOf(stage, {
        typ: "Bearer",
        token_use: "access",
        constructor: {},
        a: [{ b: 1 }, { b: 1 }],
      } satisfies JsonObject),
  ],
  ["of 9 KB", (stage) => tokenOf(stage, { more: "x".repeat(6_000) })],
];
