import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { type OpenOptions, openProvider as open, textOf, until } from "./open-provider.ts";
import { respond } from "./peers.ts";
import { answer, type Received, startScripted } from "./scripted-upstream.ts";

const changed = { method: "notifications/tools/list_changed" };

/** One session for all: the one that lists. Those of callers have tests of their own. */
function openProvider(url: string, options: OpenOptions = {}) {
  return open(url, { ...options, isBrief: true });
}

describe("HTTP 404", () => {
  test("with an error for the call's own id is its answer: it is made once, and other calls go on", async () => {
    let finish = (): void => {};
    const upstream = await startScripted({
      tools: ["slow", "gone"],
      call: (message, response) => {
        if (message.params?.name === "slow") finish = () => answer(response, message);
        else {
          const error = { code: -32602, message: "Unknown document 17" };
          respond(response, 404, { jsonrpc: "2.0", id: message.id, error });
        }
      },
    });
    const provider = await openProvider(upstream.url);
    const slow = provider.call("slow");
    await until(() => upstream.count("tools/call") === 1);
    await expect(provider.call("gone")).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("Unknown document 17"),
    });
    expect(upstream.count("tools/call")).toBe(2);
    finish();
    expect(textOf(await slow)).toBe("done");
    expect(upstream.sessions()).toBe(1);
  });

  test.each([
    ["without a body", undefined],
    ["with an error of no id", { jsonrpc: "2.0", id: null, error: { code: -32000, message: "who?" } }],
    ["with the code for it", { jsonrpc: "2.0", id: "own", error: { code: -32001, message: "who?" } }],
  ])(
    "%s is a lost session: the call is made again in a new one, and those under way go on",
    async (_name, body) => {
      let finish = (): void => {};
      let refused = false;
      const upstream = await startScripted({
        tools: ["slow", "quick"],
        call: (message, response) => {
          if (message.params?.name === "slow") finish = () => answer(response, message, "slow");
          else if (refused) answer(response, message);
          else {
            refused = true;
            if (body === undefined) response.writeHead(404).end();
            else respond(response, 404, { ...body, id: body.id === null ? null : message.id });
          }
        },
      });
      const provider = await openProvider(upstream.url);
      const slow = provider.call("slow");
      await until(() => upstream.count("tools/call") === 1);
      expect(textOf(await provider.call("quick"))).toBe("done");
      expect(upstream.sessions()).toBe(2);
      expect(upstream.visits).not.toContain("DELETE s1");
      finish();
      expect(textOf(await slow)).toBe("slow");
      await until(() => upstream.visits.includes("DELETE s1"));
    },
  );

  test("a replaced session is closed though its call never ends", async () => {
    let refused = false;
    const upstream = await startScripted({
      tools: ["slow", "quick"],
      call: (message, response) => {
        if (message.params?.name === "slow") return;
        if (refused) answer(response, message);
        else response.writeHead(404).end();
        refused = true;
      },
    });
    const provider = await openProvider(upstream.url, { timings: { call: { idle: 10_000, longest: 300 } } });
    const slow = provider.call("slow").catch((error: unknown) => error);
    await until(() => upstream.count("tools/call") === 1);
    await provider.call("quick");
    expect(await slow).toMatchObject({ code: "timed_out" });
    await until(() => upstream.visits.includes("DELETE s1"));
  });

  test("for every session there is: the upstream counts as away, and comes back after a pause", async () => {
    let broken = true;
    const upstream = await startScripted({
      call: (message, response) => {
        if (broken) response.writeHead(404).end();
        else answer(response, message);
      },
    });
    const provider = await openProvider(upstream.url, {
      timings: { reconnect: { first: 20, longest: 60_000 } },
    });
    await expect(provider.call("go")).rejects.toMatchObject({ code: "provider_unavailable" });
    expect(upstream.sessions()).toBe(2);
    // The next call finds the session of the replacement gone as well.
    await provider.call("go").catch(() => undefined);
    await provider.change(({ kind }) => kind === "lost");
    broken = false;
    await until(() => provider.changes.at(-1)?.kind === "operations");
    expect(textOf(await provider.call("go"))).toBe("done");
  });
});

test("an upstream that fails soon after its session was replaced is away for that reason", async () => {
  let status: number | undefined;
  const upstream = await startScripted({
    intercept: ({ method }, response) => {
      if (status === undefined || (status === 404 && method !== "tools/call")) return false;
      response.writeHead(status).end();
      if (status === 404) status = undefined;
      return true;
    },
  });
  const provider = await openProvider(upstream.url, {
    timings: { reconnect: { first: 60_000, longest: 60_000 } },
  });
  status = 404;
  expect(textOf(await provider.call("go"))).toBe("done");
  expect(upstream.sessions()).toBe(2);
  status = 500;
  await expect(provider.call("go")).rejects.toMatchObject({ code: "upstream_failed" });
  await provider.change(({ kind }) => kind === "lost");
  expect(provider.changes.at(-1)).toMatchObject({ reason: expect.stringContaining("HTTP 500") });
  await expect(provider.call("go")).rejects.toThrow(/not available at the moment: .*HTTP 500/);
});

describe("the GET stream", () => {
  /** Grants the stream once, ends it, and refuses it from then on. */
  function grantOnce(status: number): (request: unknown, response: ServerResponse) => void {
    let granted = false;
    return (_request, response) => {
      if (granted) return void response.writeHead(status).end();
      granted = true;
      response.writeHead(200, { "content-type": "text/event-stream" }).end("retry: 100\nid: 1\ndata:\n\n");
    };
  }

  test.each([409, 503, 429, 400])(
    "refused with %i: asked for again, and nothing else happens",
    async (status) => {
      let held: { readonly message: Received; readonly response: ServerResponse } | undefined;
      const upstream = await startScripted({
        get: grantOnce(status),
        call: (message, response) => {
          held = { message, response };
        },
      });
      const provider = await openProvider(upstream.url);
      const call = provider.call("go");
      await until(() => upstream.visits.filter((visit) => visit === "GET s1").length === 3);
      expect(upstream.sessions()).toBe(1);
      if (held === undefined) throw new Error("no call");
      answer(held.response, held.message);
      expect(textOf(await call)).toBe("done");
    },
  );

  test("refused with 405: the tools are listed once more, and it is not asked for again", async () => {
    const upstream = await startScripted({ get: grantOnce(405) });
    const provider = await openProvider(upstream.url);
    upstream.tools.push("later");
    await provider.change(({ kind }) => kind === "operations");
    expect(provider.names()).toEqual(["go", "later"]);
    expect(upstream.visits).toEqual(["GET s1", "GET s1"]);
    expect(upstream.sessions()).toBe(1);
  });

  test("refused with 404: the session is replaced, and the calls under way go on", async () => {
    let held: { readonly message: Received; readonly response: ServerResponse } | undefined;
    const upstream = await startScripted({
      get: grantOnce(404),
      call: (message, response) => {
        held = { message, response };
      },
    });
    const provider = await openProvider(upstream.url);
    const call = provider.call("go");
    await until(() => upstream.sessions() === 2);
    if (held === undefined) throw new Error("no call");
    answer(held.response, held.message);
    expect(textOf(await call)).toBe("done");
  });

  test("that breaks off where it can't be resumed: the tools are listed again", async () => {
    let visits = 0;
    const upstream = await startScripted({
      get: (_request, response) => {
        visits += 1;
        response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        if (visits === 1) response.end("retry: 100\ndata:\n\n");
      },
    });
    const provider = await openProvider(upstream.url);
    upstream.tools.push("later");
    await provider.change(({ kind }) => kind === "operations");
    expect(provider.names()).toEqual(["go", "later"]);
  });
});

test("a change that the upstream tells of while it is listed for the first time is not lost", async () => {
  let listed = false;
  const upstream = await startScripted({
    list: async () => {
      if (listed) return;
      listed = true;
      upstream.tools.push("late");
      upstream.push(changed);
      // The notification is on its way on another connection; a round trip on a third lets it pass.
      await fetch(upstream.url, { method: "DELETE" });
    },
  });
  const provider = await openProvider(upstream.url);
  await provider.change(({ kind }) => kind === "operations");
  expect(provider.names()).toEqual(["go", "late"]);
});

test("after closing, calls say that the provider was closed", async () => {
  const upstream = await startScripted();
  const provider = await openProvider(upstream.url);
  await provider.surface.close();
  await expect(provider.call("go")).rejects.toMatchObject({
    code: "provider_unavailable",
    message: expect.stringContaining("it was closed"),
  });
});
