import {
  type ElicitRequestFormParams,
  fromJsonSchema,
  type InputRequests,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { text } from "./content.ts";

/** What a call remembers between its rounds. */
export interface CallState {
  readonly round: number;
}

const nothing = fromJsonSchema<Record<string, never>>({ type: "object", properties: {} });

const nameForm = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
} as const satisfies ElicitRequestFormParams["requestedSchema"];

const confirmForm = {
  type: "object",
  properties: { ok: { type: "boolean" } },
  required: ["ok"],
} as const satisfies ElicitRequestFormParams["requestedSchema"];

const defaultsForm = {
  type: "object",
  properties: {
    name: { type: "string", default: "John Doe" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", default: true },
  },
} satisfies ElicitRequestFormParams["requestedSchema"];

const enumsForm = {
  type: "object",
  properties: {
    untitledSingle: { type: "string", enum: ["north", "south"] },
    titledSingle: {
      type: "string",
      oneOf: [
        { const: "n", title: "North" },
        { const: "s", title: "South" },
      ],
    },
    legacyEnum: { type: "string", enum: ["n", "s"], enumNames: ["North", "South"] },
    untitledMulti: { type: "array", items: { type: "string", enum: ["north", "south"] } },
    titledMulti: {
      type: "array",
      items: {
        anyOf: [
          { const: "n", title: "North" },
          { const: "s", title: "South" },
        ],
      },
    },
  },
} satisfies ElicitRequestFormParams["requestedSchema"];

const askName = () => inputRequired.elicit({ message: "What is your name?", requestedSchema: nameForm });
const askModel = (question: string) =>
  inputRequired.createMessage({
    messages: [{ role: "user", content: { type: "text", text: question } }],
    maxTokens: 100,
  });

/**
 * The tools that ask the client something. They return what they need; to clients of versions with sessions the SDK turns that
 * into requests.
 */
export function registerAskingTools(server: McpServer, states: RequestStateCodec<CallState>): void {
  registerOneQuestion(server);
  registerRounds(server, states);
  registerCapabilities(server);
}

/** A tool that asks one thing and reports what came back, whatever it is. */
function registerOneQuestion(server: McpServer): void {
  const asking = <Arguments>(
    name: string,
    key: string,
    inputSchema: ReturnType<typeof fromJsonSchema<Arguments>>,
    question: (given: Arguments) => InputRequests[string],
  ): void => {
    server.registerTool(name, { description: `Asks for ${key}.`, inputSchema }, (given, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, key);
      if (answer.kind === "missing") return inputRequired({ inputRequests: { [key]: question(given) } });
      return text(JSON.stringify(answer));
    });
  };
  const form = (requestedSchema: ElicitRequestFormParams["requestedSchema"]) => () =>
    inputRequired.elicit({ message: "Please fill in the form.", requestedSchema });
  const oneText = (name: string) =>
    fromJsonSchema<Readonly<Record<string, string>>>({
      type: "object",
      properties: { [name]: { type: "string" } },
      required: [name],
    });

  asking("test_sampling", "answer", oneText("prompt"), ({ prompt = "" }) => askModel(prompt));
  asking("test_elicitation", "form", oneText("message"), ({ message = "" }) =>
    inputRequired.elicit({ message, requestedSchema: nameForm }),
  );
  asking("test_elicitation_sep1034_defaults", "form", nothing, form(defaultsForm));
  asking("test_elicitation_sep1330_enums", "form", nothing, form(enumsForm));
  asking("test_input_required_result_elicitation", "user_name", nothing, askName);
  asking("test_input_required_result_sampling", "capital_question", nothing, () =>
    askModel("What is the capital of France?"),
  );
  asking("test_input_required_result_list_roots", "client_roots", nothing, () => inputRequired.listRoots());
}

/** Tools that need several answers, or several rounds, or remember something in between. */
function registerRounds(server: McpServer, states: RequestStateCodec<CallState>): void {
  const round = ({ mcpReq }: ServerContext) => mcpReq.requestState<CallState>()?.round;

  for (const name of [
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
  ]) {
    server.registerTool(
      name,
      { description: "Asks once, with a state that must come back untouched.", inputSchema: nothing },
      async (_arguments, context) => {
        if (round(context) !== undefined) return text("state-ok");
        const confirm = inputRequired.elicit({ message: "Go on?", requestedSchema: confirmForm });
        return inputRequired({ inputRequests: { confirm }, requestState: await states.mint({ round: 1 }) });
      },
    );
  }

  server.registerTool(
    "test_input_required_result_multiple_inputs",
    { description: "Asks three things at once.", inputSchema: nothing },
    async (_arguments, { mcpReq }) => {
      if (mcpReq.inputResponses !== undefined) return text(Object.keys(mcpReq.inputResponses).join(", "));
      return inputRequired({
        inputRequests: {
          user_name: askName(),
          greeting: askModel("Write a greeting."),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await states.mint({ round: 1 }),
      });
    },
  );

  server.registerTool(
    "test_input_required_result_multi_round",
    { description: "Asks twice, one after the other.", inputSchema: nothing },
    async (_arguments, context) => {
      const next = (round(context) ?? 0) + 1;
      if (next === 3) return text("Asked twice.");
      return inputRequired({
        inputRequests: { [`step${next}`]: askName() },
        requestState: await states.mint({ round: next }),
      });
    },
  );

  server.registerTool(
    "test_streaming_elicitation",
    { description: "Tells how far it is, then asks.", inputSchema: nothing },
    async (_arguments, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken !== undefined) {
        await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: 1 } });
      }
      if (mcpReq.inputResponses !== undefined) return text("Asked.");
      return inputRequired({ inputRequests: { user_name: askName() } });
    },
  );
}

/** Tools whose questions depend on what the client can answer, or take no heed of it. */
function registerCapabilities(server: McpServer): void {
  server.registerTool(
    "test_input_required_result_capabilities",
    { description: "Asks only what the client can answer.", inputSchema: nothing },
    (_arguments, { mcpReq }) => {
      const declared = server.server.getClientCapabilities();
      const inputRequests: InputRequests = {
        ...(declared?.sampling === undefined ? {} : { greeting: askModel("Write a greeting.") }),
        ...(declared?.elicitation === undefined ? {} : { user_name: askName() }),
      };
      if (mcpReq.inputResponses !== undefined || Object.keys(inputRequests).length === 0)
        return text("Nothing more to ask.");
      return inputRequired({ inputRequests });
    },
  );
  server.registerTool(
    "test_missing_capability",
    { description: "Asks the model whether the client has one or not.", inputSchema: nothing },
    (_arguments, { mcpReq }) =>
      mcpReq.inputResponses === undefined
        ? inputRequired({ inputRequests: { greeting: askModel("Write a greeting.") } })
        : text("Asked."),
  );
}
