import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";
import { bearer, cookie, createHarness, describeCause, signedIn, signIn } from "./harness.ts";

test("no secret is in any record, file, log line, error or answer", async () => {
  const harness = await createHarness();
  const canaries: string[] = ["correct horse battery"];
  const said: string[] = [];
  const hear = async (work: Promise<unknown>) => {
    const outcome: unknown = await work.catch((error: unknown) => error);
    said.push(JSON.stringify(outcome) ?? "", inspect(outcome, { depth: 10 }), describeCause(outcome));
    return outcome;
  };
  const canary = (text: string) => {
    canaries.push(text);
    return new Secret(text);
  };
  const admin = harness.identity.administration(harness.operator);
  const { principal, session } = await signedIn(harness, "ada");
  canaries.push(session.reveal());
  const own = harness.identity.administration(principal);
  const token = await own.createToken({ name: "laptop" });
  const rotated = await own.rotateToken(token.id);
  canaries.push(token.secret.reveal(), rotated.secret.reveal());
  await hear(own.createToken({ name: "phone" }));
  await hear(signIn(harness.identity, "ada"));
  await hear(signIn(harness.identity, "ada", canary("canary wrong password").reveal()));
  await hear(admin.createUser({ name: "eve", password: canary("canary1") }));
  await hear(admin.createUser({ name: "canary2@example.com", password: canary("CANARY2@example.com") }));
  await hear(admin.createUser({ name: "ada", password: canary("canary password three") }));
  await hear(
    own.updateUser("ada", {
      password: canary("canary password four"),
      currentPassword: canary("canary password five"),
    }),
  );
  await hear(
    harness.identity.authenticate(bearer(canary(`gst_api_${"canary6".repeat(7).slice(0, 43)}`)), undefined),
  );
  await hear(harness.identity.authenticate(bearer(canary("canary junk seven")), undefined));
  await hear(harness.identity.authenticate(cookie(canary("canary junk eight")), undefined));
  await hear(harness.identity.authenticate(bearer(rotated.secret), "nowhere"));
  await hear(own.listTokens());
  await hear(admin.listUsers());
  await hear(admin.listSessions());
  // Broken records are told to the log, with what is wrong and not with what they hold.
  const tenant = harness.store.tenant("default");
  for (const kind of ["user", "token", "session"] as const) {
    for (const record of await tenant.list(kind)) {
      const { id, lookup, expiresAt, version } = record;
      said.push(JSON.stringify(record));
      await tenant.write([
        {
          action: "put",
          kind,
          id,
          lookup,
          expiresAt,
          expected: version,
          value: { ...record.value, created_at: "canary nine" },
        },
      ]);
    }
  }
  canaries.push("canary nine");
  await hear(harness.identity.authenticate(bearer(rotated.secret), undefined));
  await hear(harness.identity.authenticate(cookie(session), undefined));
  await hear(admin.listUsers());
  await hear(signIn(harness.identity, "ada"));
  await harness.identity.close();
  expect(harness.logged.length).toBeGreaterThan(0);
  const everything = [...said, ...harness.logged].join("\n");
  for (const text of canaries) expect(everything.includes(text), text).toBe(false);
  const files = [harness.file, `${harness.file}-wal`].map((file) => readFileSync(file, "latin1")).join("");
  for (const text of canaries.filter((one) => one !== "canary nine"))
    expect(files.includes(text), text).toBe(false);
  expect(files).toContain("ada");
});
