import { expect, test } from "vitest";
import { CatalogSnapshot } from "../../../src/catalog/snapshot.ts";
import { createToolLists } from "../../../src/server/mcp/tool-list.ts";
import { watchTools } from "../../../src/server/mcp/watch-tools.ts";
import { makeCatalog, makeTool } from "./harness.ts";

/** A watch that collects changes for longer than the test takes. */
function watchSnapshot() {
  const snapshot = new CatalogSnapshot();
  const listOf = createToolLists();
  const watch = watchTools(snapshot, () => listOf(snapshot.view("mcp")), 1_000_000);
  let told = 0;
  watch.subscribe(() => {
    told += 1;
  });
  return { snapshot, watch, told: () => told };
}

test("who asks for the digest after a swap gets that of the new list, and the others are told", () => {
  const { snapshot, watch, told } = watchSnapshot();
  const before = watch.digest();
  snapshot.swap(makeCatalog([makeTool("one")]));
  expect(told()).toBe(0);
  expect(watch.digest()).not.toBe(before);
  expect(told()).toBe(1);
  watch.close();
});
