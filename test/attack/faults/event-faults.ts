import { absent, type ByKind, type Fault, failed, fault, harmless, late, tooMuch, waiting } from "./fault.ts";
import { answer, chunk, chunked, drip, flood, type Wire } from "./wire.ts";

const stream = "text/event-stream";
const noEvents = absent(
  "it asks for JSON, and an event stream is but another body without end, which it has",
);

/** REST takes streams too: what has come until a limit is the answer. */
function events(mcp: ByKind["MCP SSE"] & {}, rest: ByKind["REST"] & {} = tooMuch): ByKind {
  return { REST: rest, "MCP SSE": mcp, "MCP JSON": mcp, GraphQL: tooMuch, OAuth: tooMuch, all: noEvents };
}

function endless(name: string, piece: string, expected: ByKind): Fault {
  const bytes = chunk(piece.repeat(Math.max(1, Math.floor(60_000 / piece.length))));
  return fault(name, (wire) => flood(wire, chunked(stream), bytes), expected);
}

/** Where the events have no end, but each is small. */
const flooded = failed(/without coming to an end/);

const notification =
  'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n';

const manyEvents = chunk(notification.repeat(700));

/** The rest of the stream: the first part of REST's answer is a note that says that it is one. */
const beginning = { kind: "answer", says: /only the beginning/ } as const;

/** What is wrong with event streams. */
export const eventFaults: readonly Fault[] = [
  endless("sends comments without end", ": x\n", events(flooded, beginning)),
  endless("sends empty lines without end", "\n", events(flooded, beginning)),
  endless("sends retry fields without end", "retry: 1\n\n", events(flooded, beginning)),
  endless("sends ids without end", "id: 1\n\n", events(flooded, beginning)),
  endless("sends event names without end", "event: a\n", events(flooded, beginning)),
  endless("sends one event without end", "data: a\n", events(tooMuch, beginning)),
  endless("sends a line without end", "data: aaaaaaaaaaaaaaaa", events(tooMuch, beginning)),
  endless("sends a comment without end", ":aaaaaaaaaaaaaaaaaaa", events(tooMuch, beginning)),
  // Its events are taken one by one, until the time of the call is over.
  waiting("sends events without end", (wire) => flood(wire, chunked(stream), manyEvents), {
    REST: beginning,
    GraphQL: tooMuch,
    MCP: late(/did not answer within/),
    OAuth: tooMuch,
  }),
  waiting(
    "sends a comment now and then, and never answers",
    (wire) => drip(wire, chunked(stream), chunk(": ping\n\n").toString("latin1"), 100),
    {
      REST: { kind: "answer", says: /only the beginning|without a body|\[\]/ },
      GraphQL: late(/too long|did not|within/),
      MCP: late(/did not answer within/),
      OAuth: late(/did not finish|took longer|within/),
    },
  ),
  fault(
    "ends its lines with CR alone",
    (wire) => {
      answer(wire, wire.body().replaceAll("\n", "\r"));
    },
    { all: absent("its answers are no lines"), "MCP SSE": harmless },
  ),
  fault("begins an event stream with a byte order mark", (wire) => answer(wire, `\ufeff${wire.body()}`), {
    all: absent("its answers are no lines"),
    "MCP SSE": harmless,
  }),
  fault(
    "ends the stream inside the event with the answer",
    (wire) => {
      answer(wire, wire.body().trimEnd());
    },
    {
      all: absent("its answers are no events"),
      "MCP SSE": failed(/without a result|did not answer|no answer|ended/),
    },
  ),
  fault(
    "puts its answer into an event of another name",
    (wire) => {
      answer(wire, `event: evil\n${wire.body()}`);
    },
    {
      all: absent("its answers are no events"),
      "MCP SSE": failed(/without a result|did not answer|no answer|ended/),
    },
  ),
  fault(
    "has a million small fields before its answer",
    (wire: Wire) => {
      answer(wire, `${"x: y\n".repeat(200_000)}\n${wire.body()}`);
    },
    { all: absent("its answers are no events"), "MCP SSE": harmless },
  ),
];
