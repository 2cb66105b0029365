import {
  completable,
  fromJsonSchema,
  inputRequired,
  inputResponse,
  type McpServer,
} from "@modelcontextprotocol/server";
import * as z from "zod/v4";
import { png } from "./content.ts";

/** The prompts: every kind of content, arguments with completion, and one that asks the client something. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt("test_simple_prompt", { description: "A prompt without arguments." }, () => ({
    messages: [say("Tell me something.")],
  }));
  server.registerPrompt(
    "test_prompt_with_arguments",
    {
      description: "A prompt with two arguments.",
      argsSchema: z.object({
        arg1: completable(z.string(), (begun) =>
          ["first", "second"].filter((word) => word.startsWith(begun)),
        ),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => ({ messages: [say(`Tell me something of ${arg1} and ${arg2}.`)] }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    {
      description: "A prompt with a resource in it.",
      argsSchema: fromJsonSchema<{ resourceUri: string }>({
        type: "object",
        properties: { resourceUri: { type: "string" } },
        required: ["resourceUri"],
      }),
    },
    ({ resourceUri: uri }) => ({
      messages: [
        {
          role: "user",
          content: { type: "resource", resource: { uri, mimeType: "text/plain", text: "Some text." } },
        },
        say("What does it say?"),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "A prompt with a picture in it." }, () => ({
    messages: [
      { role: "user", content: { type: "image", data: png, mimeType: "image/png" } },
      say("What does it show?"),
    ],
  }));
  server.registerPrompt(
    "test_input_required_result_prompt",
    { description: "A prompt that asks before it answers." },
    ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, "user_context");
      if (answer.kind !== "missing") return { messages: [say(JSON.stringify(answer))] };
      const userContext = inputRequired.elicit({
        message: "What is it about?",
        requestedSchema: {
          type: "object",
          properties: { context: { type: "string" } },
          required: ["context"],
        },
      });
      return inputRequired({ inputRequests: { user_context: userContext } });
    },
  );
}

function say(text: string) {
  return { role: "user", content: { type: "text", text } } as const;
}
