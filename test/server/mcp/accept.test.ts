import { expect, test } from "vitest";
import { accepts, prefersEvents } from "../../../src/server/mcp/accept.ts";

test.each([
  { header: undefined, json: true, events: true, prefers: false },
  { header: "*/*", json: true, events: true, prefers: false },
  { header: "application/json, text/event-stream", json: true, events: true, prefers: false },
  { header: "text/event-stream, application/json", json: true, events: true, prefers: true },
  { header: "Text/Event-Stream , application/json;q=0.9", json: true, events: true, prefers: true },
  { header: "application/json;q=0.5,text/event-stream", json: true, events: true, prefers: true },
  { header: "text/event-stream;q=0.5, application/json", json: true, events: true, prefers: false },
  { header: "text/event-stream, */*;q=0.1", json: true, events: true, prefers: true },
  { header: "application/*, text/*", json: true, events: true, prefers: false },
  { header: "application/json", json: true, events: false, prefers: false },
  { header: "text/event-stream", json: false, events: true, prefers: true },
  { header: "text/html", json: false, events: false, prefers: false },
])("$header", ({ header, json, events, prefers }) => {
  expect([accepts(header, "application/json"), accepts(header, "text/event-stream")]).toEqual([json, events]);
  expect(prefersEvents(header)).toBe(prefers);
});
