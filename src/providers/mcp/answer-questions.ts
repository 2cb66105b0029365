import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import { canAsk, isAskable } from "../../mcp/askable.ts";
import {
  type Message,
  type RequestId,
  type RequestMessage,
  type RpcErrorObject,
  rpcCodes,
} from "../../mcp/messages.ts";
import { readPassedMeta } from "../../mcp/meta.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { quoteUpstream } from "../strip-hidden.ts";
import { cleanQuestion } from "./clean-question.ts";
import { createQuota } from "./limit-notifications.ts";

/** Most questions of one upstream session that are open at one time. */
const maxQuestions = 64;
/** Most pongs and refusals that are on their way at one time. */
const maxReplies = 64;

/** What an upstream is told of a question that clients are not asked in any case. */
const notPassedOn: RpcErrorObject = {
  code: rpcCodes.invalidParams,
  message:
    "Invalid params: only pages of the web (http, https) can be opened, and names must not have hidden characters.",
};

/** What the answers are made with. */
export interface AnswerParts {
  /** The client capabilities that the session has declared. */
  readonly declared: () => JsonObject;
  /** Asks whoever the question is for, and waits; `signal` aborts when the upstream takes the question back or the session ends. */
  readonly ask: (
    method: string,
    params: JsonObject,
    during: RequestId | undefined,
    signal: AbortSignal,
  ) => Promise<JsonValue>;
  /** Sends an answer; never fails. */
  readonly send: (message: Message) => Promise<void>;
}

/**
 * Answers the requests that one upstream makes of its client: `ping`, and the questions that the session's capabilities allow.
 * Everything else is refused.
 */
export class QuestionAnswerer {
  readonly #parts: AnswerParts;
  readonly #open = new Map<RequestId, AbortController>();
  /** Some clients answer at once, and an upstream may ask again as soon. */
  readonly #mayAsk = createQuota();
  #replies = 0;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Answers one request, if need be minutes later. Never fails. */
  async answer({ id, method, params }: RequestMessage, during: RequestId | undefined): Promise<void> {
    if (method === "ping") return this.#reply({ kind: "result", id, result: {} });
    const error = this.#refuse(id, method, params);
    if (error !== undefined) return this.#reply({ kind: "error", id, error });
    const cleaned = cleanQuestion(method, withoutOwnHop(params));
    if (cleaned === undefined) return this.#reply({ kind: "error", id, error: notPassedOn });
    const question = new AbortController();
    this.#open.set(id, question);
    const answer = await this.#ask(id, method, cleaned, during, question.signal);
    if (this.#open.get(id) !== question) return;
    this.#open.delete(id);
    await this.#parts.send(answer);
  }

  /** The upstream does not want the answer any more, and gets none. */
  withdraw({ requestId: id, reason }: JsonObject): void {
    if (typeof id !== "string" && typeof id !== "number") return;
    const question = this.#open.get(id);
    this.#open.delete(id);
    const said = typeof reason === "string" ? quoteUpstream(reason) : "";
    question?.abort(
      new GatewayError("cancelled", said || "The upstream MCP server has taken its question back."),
    );
  }

  /** Ends all questions: nobody takes the answers any more. */
  end(reason: GatewayError): void {
    const questions = [...this.#open.values()];
    this.#open.clear();
    for (const question of questions) question.abort(reason);
  }

  async #ask(
    id: RequestId,
    method: string,
    params: JsonObject,
    during: RequestId | undefined,
    signal: AbortSignal,
  ): Promise<Message> {
    try {
      const answer = await this.#parts.ask(method, params, during, signal);
      if (!isJsonObject(answer)) throw new Error("A client answered with something other than an object.");
      return { kind: "result", id, result: withOneBlock(answer, method, params) };
    } catch (error) {
      return { kind: "error", id, error: describe(error, method, params) };
    }
  }

  #refuse(id: RequestId, method: string, params: JsonObject): RpcErrorObject | undefined {
    const declared = this.#parts.declared();
    if (!isAskable(method)) {
      return { code: rpcCodes.methodNotFound, message: "Method not found: this client does not know it." };
    }
    if (!canAsk(declared, method, params))
      return undeclared(method, params, "this client has not declared it.");
    if (this.#open.has(id)) {
      return { code: rpcCodes.invalidRequest, message: "Invalid request: a question with this id is open." };
    }
    if (this.#open.size >= maxQuestions) {
      const message = `Too many questions are open (${maxQuestions}). Wait for the answers, then ask again.`;
      return { code: rpcCodes.internalError, message };
    }
    if (this.#mayAsk()) return undefined;
    return { code: rpcCodes.internalError, message: "Too many questions in a short time. Ask again later." };
  }

  /** An upstream that asks faster than it takes the answers gets no more of them. */
  async #reply(message: Message): Promise<void> {
    if (this.#replies >= maxReplies) return;
    this.#replies += 1;
    await this.#parts.send(message);
    this.#replies -= 1;
  }
}

/** What an upstream is told when its question could not be answered: the client's own error, and nothing of our inside. */
function describe(error: unknown, method: string, params: JsonObject): RpcErrorObject {
  if (error instanceof RpcError) return error.toObject();
  if (error instanceof GatewayError && error.code === "unsupported") {
    return undeclared(method, params, error.message);
  }
  return { code: rpcCodes.internalError, message: "Internal error: the client gave no answer." };
}

/** MCP 2025-11-25: what a declared capability does not include is a wrong parameter of a method that exists. */
function undeclared(method: string, params: JsonObject, why: string): RpcErrorObject {
  const isPart =
    (method === "elicitation/create" && params["mode"] === "url") ||
    (method === "sampling/createMessage" &&
      (params["tools"] !== undefined || params["toolChoice"] !== undefined));
  return isPart
    ? { code: rpcCodes.invalidParams, message: `Invalid params: ${why}` }
    : { code: rpcCodes.methodNotFound, message: `Method not found: ${why}` };
}

/**
 * A question as it goes on: progress of the answer is told on the client's own hop only, and no session declares tasks, without which
 * what is said of one counts for nothing (MCP 2025-11-25, tasks).
 */
function withoutOwnHop(params: JsonObject): JsonObject {
  const { _meta, task: _task, ...members } = params;
  const passed = readPassedMeta(params);
  return passed === undefined ? members : { ...members, _meta: passed };
}

/** What a model says without tools is one block; later clients may wrap it in a list, which official servers then don't take. */
function withOneBlock(answer: JsonObject, method: string, { tools }: JsonObject): JsonObject {
  const { content } = answer;
  if (method !== "sampling/createMessage" || tools !== undefined || !Array.isArray(content)) return answer;
  const [block, ...others] = content;
  return block === undefined || others.length > 0 ? answer : { ...answer, content: block };
}
