import { expect, test } from "vitest";
import { findAnsweredId } from "../../../src/providers/mcp/find-answered-id.ts";

test.each<[string, string, number | undefined]>([
  ['{"jsonrpc":"2.0","id":7,"result":{"a":1', '"b":2}}', 7],
  ['{ "id" : 7 , "jsonrpc" : "2.0" , "error" : {', "}}", 7],
  ['{"result":{"content":[', ']},"jsonrpc":"2.0","id":12}', 12],
  ['{"jsonrpc":"2.0","result":{"content":[', ']},"id":12,"jsonrpc":"2.0"}\r', 12],
  // Of a request of the server's own, of a member further inside, of an id that is none of ours.
  ['{"jsonrpc":"2.0","id":7,"method":"ping","params":{', "}}", undefined],
  ['{"method":"x","params":{"a":', '},"jsonrpc":"2.0","id":12}', undefined],
  ['{"result":{"content":[', ',"id":12}}', undefined],
  ['{"result":{"text":"', ',\\"id\\":12}"}}', undefined],
  ['{"jsonrpc":"2.0","id":"7","result":{', "}}", undefined],
  ["", "", undefined],
])("%s … %s → %s", (head, tail, id) => {
  expect(findAnsweredId({ head, tail })).toBe(id);
});
