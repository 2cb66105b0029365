import type { Command } from "commander";
import { type AdministerFlags, placeOf, type Registration, withPlace, withServer } from "./registration.ts";

type LoginFlags = Pick<AdministerFlags, "server" | "insecure" | "json">;

/** `gateway login`, `logout`, `whoami` and `sessions …`. */
export function registerSignIn(program: Command, { console, add, finish }: Registration): void {
  withServer(add(program, "login", "sign in at a gateway that runs, for the commands that follow"))
    .argument("[name]", "name of the user (default: who signed in there before)")
    .option("--password-stdin", "take the password from standard input, in place of asking for it")
    .option("--json", "print JSON")
    .action(async (name: string | undefined, flags: LoginFlags & { readonly passwordStdin?: boolean }) => {
      const [{ login }, { processPrompt }] = await Promise.all([
        import("../login.ts"),
        import("../prompt.ts"),
      ]);
      const options = { ...loginOptions(flags), passwordStdin: flags.passwordStdin ?? false };
      finish(await login(name, options, console, processPrompt(console)));
    });
  withServer(add(program, "logout", "end the session that `login` began")).action(
    async (flags: LoginFlags) => {
      const { logout } = await import("../login.ts");
      finish(await logout(loginOptions(flags), console));
    },
  );
  withPlace(add(program, "whoami", "show on whose behalf commands administer")).action(
    async (flags: AdministerFlags) => {
      const { whoami } = await import("../whoami.ts");
      finish(await whoami(placeOf(flags), console));
    },
  );

  const sessions = add(program, "sessions", "the sign-ins of browsers and of `gateway login`");
  withPlace(add(sessions, "list", "list the sessions of a tenant, or your own")).action(
    async (flags: AdministerFlags) => {
      const { listSessions } = await import("../sessions.ts");
      finish(await listSessions(placeOf(flags), console));
    },
  );
  withPlace(add(sessions, "revoke", "end a session now"))
    .argument("<id>", "id of the session, as `list` shows it")
    .action(async (id: string, flags: AdministerFlags) => {
      const { revokeSession } = await import("../sessions.ts");
      finish(await revokeSession(id, placeOf(flags), console));
    });
}

function loginOptions({ server, insecure = false, json = false }: LoginFlags) {
  return { server, insecure, json };
}
