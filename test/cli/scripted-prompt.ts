import type { Prompt } from "../../src/cli/prompt.ts";
import { Secret } from "../../src/secret.ts";

/** A prompt that answers by itself, and keeps what it was asked. */
export interface ScriptedPrompt extends Prompt {
  readonly questions: readonly string[];
}

/** Somebody who answers questions one after the other, or a pipe with some input, or nobody. */
export function scriptedPrompt(script: {
  readonly answers?: readonly string[];
  readonly input?: string;
}): ScriptedPrompt {
  const questions: string[] = [];
  const answers = [...(script.answers ?? [])];
  const answer = (question: string): string => {
    questions.push(question);
    const next = answers.shift();
    if (next === undefined) throw new Error(`Nobody answers "${question}".`);
    return next;
  };
  return {
    canAsk: script.answers !== undefined,
    askSecret: async (question) => new Secret(answer(question)),
    askText: async (question) => answer(question),
    askYes: async (question) => answer(question) === "yes",
    readInput: async () => script.input ?? "",
    questions,
  };
}
