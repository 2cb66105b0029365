import type { JsonValue } from "../../src/model/json.ts";
import { type Answer, cookiesOf, newAttempt, type Stage, type StageOptions, startStage } from "./stage.ts";

/** The authorization server as programs see it that nobody knows yet. */
export interface ClientsStage extends Stage {
  register(metadata: JsonValue): Promise<Answer>;
  /** Asks for a code; the request is right but for what is given. */
  authorize(parameters: Readonly<Record<string, string>>, more?: string): Promise<Answer>;
  /** Goes on from there as a person who agrees: what is shown, and where the browser is sent in the end, to the letter. */
  agree(answer: Answer): Promise<{ readonly shown: string; readonly location: string }>;
}

/** @param options no clients are in the file unless they are given. */
export async function startClientsStage(options: StageOptions = {}): Promise<ClientsStage> {
  const stage = await startStage({ ...options, settings: { clients: {}, ...options.settings } });
  const { redirect_uri, ...right } = newAttempt().parameters;
  return {
    ...stage,
    register: (metadata) =>
      stage.send("POST", "/oauth/register", { "content-type": "application/json" }, JSON.stringify(metadata)),
    authorize: (parameters, more = "") =>
      stage.send("GET", `/oauth/authorize?${new URLSearchParams({ ...right, ...parameters })}${more}`),
    async agree(answer) {
      const id = URL.parse(answer.headers.location ?? "")?.searchParams.get("request");
      if (typeof id !== "string") throw new Error(`No question: ${answer.status} ${answer.text}`);
      const cookies = cookiesOf(answer);
      const question = await stage.server.question(id, cookies);
      const seal = question.seal(stage.person);
      const decision = { kind: "agree", scopes: question.scopes, seal } as const;
      const back = new URL(await stage.server.answer(id, cookies, stage.person, decision));
      const end = await stage.send("GET", `${back.pathname}${back.search}`, { cookie: cookies });
      return { shown: question.redirectUri, location: String(end.headers.location) };
    },
  };
}
