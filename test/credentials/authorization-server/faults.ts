import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { sendJson } from "./exchange.ts";
import type { EndpointName, Fault } from "./model.ts";

/** What is to go wrong, by endpoint, and how often still. */
export class Faults {
  readonly #planned = new Map<EndpointName, { readonly fault: Fault; left: number }>();

  plan(endpoint: EndpointName, fault: Fault, times: number): void {
    this.#planned.set(endpoint, { fault, left: times });
  }

  heal(): void {
    this.#planned.clear();
  }

  /** Counts it as having happened. */
  next(endpoint: EndpointName | undefined): Fault | undefined {
    const planned = endpoint === undefined ? undefined : this.#planned.get(endpoint);
    if (planned === undefined || planned.left <= 0) return undefined;
    planned.left -= 1;
    return planned.fault;
  }
}

/** Answers wrongly. True: that was the answer; false: the right one follows. */
export async function goWrong(fault: Fault, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case "status":
      response.writeHead(fault.status, { "content-type": "text/plain", ...fault.headers });
      response.end("no");
      return true;
    case "error":
      for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
      sendJson(response, fault.status ?? (fault.error === "invalid_client" ? 401 : 400), {
        error: fault.error,
        ...(fault.description !== undefined && { error_description: fault.description }),
      });
      return true;
    case "reset":
      if (fault.carriedOut === true) {
        // What the server says from now on reaches nobody.
        response.end = () => response.destroy();
        return false;
      }
      response.destroy();
      return true;
    case "slow":
      await sleep(fault.milliseconds, undefined, { ref: false });
      return response.destroyed;
    case "silent":
      return true;
    case "drip":
      response.writeHead(200, { "content-type": "application/json" });
      drip(response);
      return true;
    case "garbage":
      response.writeHead(200, { "content-type": "application/json" });
      response.end(Buffer.from([0x7b, 0xff, 0x00, 0x22, 0x61, 0x3a]));
      return true;
    case "html":
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>Sign in</title><p>access_token=oops");
      return true;
    case "redirect":
      response.writeHead(fault.status ?? 307, { location: fault.location });
      response.end();
      return true;
    case "huge":
      response.writeHead(200, { "content-type": "application/json" });
      pour(response);
      return true;
    case "body":
      response.writeHead(fault.status ?? 200, { "content-type": fault.type ?? "application/json" });
      response.end(fault.body);
      return true;
  }
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(timer));
}

/** 64 MiB, as fast as they are taken. */
function pour(response: ServerResponse): void {
  const chunk = " ".repeat(65_536);
  let left = 1024;
  const next = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) return void response.once("drain", next);
    }
    if (!response.destroyed) response.end("{}");
  };
  response.on("error", () => {
    // The reader has had enough, as it should.
  });
  next();
}
