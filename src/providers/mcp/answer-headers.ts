import type { HttpStream } from "../../upstream/http-client.ts";

/** True for an answer that is an event stream. */
export function isEventStream(stream: HttpStream): boolean {
  return mediaType(stream) === "text/event-stream";
}

/** What an answer is, without parameters and in lower case; empty where it does not say. */
export function mediaType(stream: HttpStream): string {
  return (stream.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** The id of the session that an answer begins: visible ASCII, as the specification demands; anything else could not be sent back. */
export function readSessionId(stream: HttpStream): string | undefined {
  const id = stream.headers["mcp-session-id"];
  return id !== undefined && /^[\x21-\x7e]{1,1024}$/.test(id) ? id : undefined;
}
