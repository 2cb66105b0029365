import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/server";

/** A PNG of one pixel, in base64. */
export const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/** A WAV file of one silent sample, in base64. */
export const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==";

/** A result of the given blocks. */
export function blocks(...content: readonly ContentBlock[]): CallToolResult {
  return { content: [...content] };
}

/** A result of one text. */
export function text(value: string): CallToolResult {
  return blocks({ type: "text", text: value });
}
