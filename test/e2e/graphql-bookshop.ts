import { createServer } from "node:http";
import { createGraphqlHandler } from "../../examples/upstream/graphql.ts";
import { type Loopback, listen } from "../upstream/loopback.ts";

/** A request to the bookshop as it came over the wire. */
export interface SeenRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Of the answer. */
  readonly status: number;
  readonly answer: string;
}

/** The bookshop's GraphQL server behind a proxy that remembers what goes by. */
export interface GraphqlBookshop extends AsyncDisposable {
  /** The endpoint itself. */
  readonly url: string;
  readonly seen: SeenRequest[];
}

/** Starts it on free ports. */
export async function startBookshop(): Promise<GraphqlBookshop> {
  const handle = createGraphqlHandler({ count: () => {} });
  const shop = await listen(createServer((request, response) => void handle(request, response)));
  const seen: SeenRequest[] = [];
  const proxy: Loopback = await listen(
    createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
      const { method = "", url = "", headers } = request;
      const passed = ["content-type", "accept", "authorization", "apollo-require-preflight"].flatMap(
        (name) => {
          const value = headers[name];
          return typeof value === "string" ? [[name, value] as const] : [];
        },
      );
      const body = Buffer.concat(chunks);
      const answer = await fetch(`${shop.url}${url}`, { method, headers: Object.fromEntries(passed), body });
      const text = await answer.text();
      seen.push({ headers, body: body.toString(), status: answer.status, answer: text });
      const type = answer.headers.get("content-type") ?? "";
      response.writeHead(answer.status, { "content-type": type }).end(text);
    }),
  );
  return {
    url: `${proxy.url}/graphql`,
    seen,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await shop[Symbol.asyncDispose]();
    },
  };
}
