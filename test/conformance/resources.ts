import { type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { png } from "./content.ts";

/** The resources: a text, a picture, one to subscribe to, and a template. */
export function registerResources(server: McpServer): void {
  const text = (name: string, value: string): void => {
    const mimeType = "text/plain";
    server.registerResource(name, `test://${name}`, { mimeType }, ({ href }) => ({
      contents: [{ uri: href, mimeType, text: value }],
    }));
  };
  text("static-text", "A text that never changes.");
  text("watched-resource", "A text that somebody watches.");
  server.registerResource(
    "static-binary",
    "test://static-binary",
    { mimeType: "image/png" },
    ({ href: uri }) => ({ contents: [{ uri, mimeType: "image/png", blob: png }] }),
  );
  server.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { mimeType: "application/json" },
    ({ href: uri }, { id }) => ({
      contents: [{ uri, mimeType: "application/json", text: JSON.stringify({ id }) }],
    }),
  );
  // Nobody is ever told of a change; that a subscription is taken is all that the suites look at.
  server.server.setRequestHandler("resources/subscribe", () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", () => ({}));
}
