import { GatewayError } from "../errors.ts";
import type {
  Connected,
  ConnectionForm,
  Connections,
  FormField,
  PendingSelection,
} from "../model/connections.ts";
import type { JsonValue } from "../model/json.ts";
import { Secret } from "../secret.ts";
import type { Console } from "./console.ts";
import { oneLine } from "./one-line.ts";
import type { Prompt } from "./prompt.ts";
import { UsageError } from "./usage-error.ts";

/** How often somebody may mistype a number before it is given up. */
const attempts = 3;

/** Values besides the credential: those that were given as `name=value`; for the rest somebody is asked. */
export async function readParams(
  { params }: ConnectionForm,
  given: readonly string[],
  canAsk: boolean,
  console: Console,
  prompt: Prompt,
): Promise<Readonly<Record<string, string>>> {
  const known = new Map(given.map(splitParam));
  for (const param of params) {
    if (known.has(param.name) || !canAsk) continue;
    const answer = await prompt.askText(questionOf(param, console));
    if (answer !== "") known.set(param.name, answer);
  }
  return Object.fromEntries(known);
}

function splitParam(text: string): readonly [string, string] {
  const mark = text.indexOf("=");
  if (mark <= 0) throw new UsageError("a param is written `--param name=value`.");
  return [text.slice(0, mark), text.slice(mark + 1)];
}

/** Asks for the parts of a credential one by one; those that are secret are not shown. */
export async function askFields(
  fields: readonly FormField[],
  console: Console,
  prompt: Prompt,
): Promise<Readonly<Record<string, Secret>>> {
  if (!prompt.canAsk) {
    const example = JSON.stringify(Object.fromEntries(fields.map(({ name }) => [name, "…"])));
    throw new UsageError(
      `nobody is here to type the credential. Pipe it in as a JSON object with \`--fields-stdin\`, such as \`${oneLine(example)}\`, or use a terminal.`,
    );
  }
  const answers: [string, Secret][] = [];
  for (const field of fields) {
    const question = questionOf(field, console);
    answers.push([
      field.name,
      field.secret ? await prompt.askSecret(question) : new Secret(await prompt.askText(question)),
    ]);
  }
  return Object.fromEntries(answers);
}

/** What the operator says of a field goes before the question. */
function questionOf({ label, description, required, default: value }: FormField, console: Console): string {
  if (description !== undefined) console.say(oneLine(description));
  const hint = value === undefined ? (required ? "" : " (optional)") : ` [${value}]`;
  return oneLine(`${label}${hint}`);
}

/** The fields of a JSON object. Neither the text nor what the parser says of it is ever shown: both hold the credential. */
export function parseFields(text: string): Readonly<Record<string, Secret>> {
  let parsed: JsonValue;
  try {
    // JSON.parse gives JSON values and nothing else.
    parsed = JSON.parse(text) as JsonValue;
  } catch {
    throw new UsageError(
      text.trim() === "" ? "standard input is empty." : "standard input is no JSON object of fields.",
    );
  }
  const entries = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  const fields = entries.flatMap(([name, value]) =>
    typeof value === "string" ? [[name, new Secret(value)] as const] : [],
  );
  if (Array.isArray(parsed) || entries.length === 0 || fields.length < entries.length)
    throw new UsageError("standard input is no JSON object whose members are texts.");
  return Object.fromEntries(fields);
}

/**
 * Makes the choice that an upstream offers: the one that the command names, else somebody is asked. Nothing is stored before.
 *
 * @param wanted id or label of a choice.
 */
export async function choose(
  connections: Connections,
  { pending, choices }: PendingSelection,
  wanted: string | undefined,
  console: Console,
  prompt: Prompt,
): Promise<Connected> {
  if (wanted !== undefined) {
    const named = choices.find(({ id }) => id === wanted) ?? choices.find(({ label }) => label === wanted);
    if (named !== undefined) return connections.select(pending, named.id);
  }
  const isAsked = wanted === undefined && prompt.canAsk;
  const numbered = choices.map(({ id, label }, index) =>
    isAsked ? `${index + 1}. ${label}` : id === label ? id : `${id} (${label})`,
  );
  console.say(["The credential is good for:", ...numbered.map((line) => `  ${oneLine(line)}`)].join("\n"));
  if (!isAsked)
    throw new UsageError(
      wanted === undefined
        ? "nobody is here to choose, so nothing was stored. Name one of these with `--choose ID`."
        : `\`${oneLine(wanted)}\` is none of these, so nothing was stored. Name one of them with \`--choose ID\`.`,
    );
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const chosen = choices[Number(await prompt.askText(`Which one (1 to ${choices.length})`)) - 1];
    if (chosen !== undefined) return connections.select(pending, chosen.id);
    console.say("That is none of the numbers.");
  }
  throw new GatewayError("cancelled", "Nothing was chosen, so nothing was stored. Run the command again.");
}
