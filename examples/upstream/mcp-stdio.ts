// The bookshop as a local MCP server over stdio, for clients of both eras. Ends when its input ends.
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { Bookshop } from "./bookshop.ts";
import { createMcpServer } from "./mcp-server.ts";

const shop = new Bookshop();
serveStdio(() => createMcpServer({ shop, log: { count: () => {} }, staff: false }));
