import type { EventId, EventStore, StreamId } from "@modelcontextprotocol/server";

/** Keeps the events of one session in memory, so that a client that lost a stream can ask for the rest of it. */
export function createEventStore(): EventStore {
  type Message = Parameters<EventStore["storeEvent"]>[1];
  const events: { readonly streamId: StreamId; readonly message: Message }[] = [];
  const read = (id: EventId) => {
    const event = events[Number(id) - 1];
    if (event === undefined) throw new Error(`There is no event ${id}.`);
    return event;
  };

  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message })),
    getStreamIdForEventId: async (id) => events[Number(id) - 1]?.streamId,
    replayEventsAfter: async (lastId, { send }) => {
      const { streamId } = read(lastId);
      for (const [index, event] of events.entries()) {
        const isPriming = !("jsonrpc" in event.message);
        if (index < Number(lastId) || event.streamId !== streamId || isPriming) continue;
        await send(String(index + 1), event.message);
      }
      return streamId;
    },
  };
}
