import { describe, expect, test } from "vitest";
import { sizeRanges } from "../../src/config/rules/limit-range.ts";
import { readSize } from "../../src/config/size.ts";
import { asObject, isJsonObject } from "../../src/json-object.ts";
import { readConfigSchema } from "../../src/json-schema/read-config-schema.ts";
import type { JsonValue } from "../../src/model/json.ts";
import { loadText } from "./load-text.ts";

/** All sizes below `limits` in the schema: by key, what a number may be. */
function sizesOfSchema(): readonly (readonly [key: string, least: unknown, most: unknown])[] {
  const definitions: JsonValue = JSON.parse(JSON.stringify(readConfigSchema().$defs));
  return Object.values(definitions ?? {}).flatMap((definition) => {
    const properties = asObject(definition)?.["properties"];
    if (!isJsonObject(properties)) return [];
    return Object.entries(properties).flatMap(([key, property]) =>
      isJsonObject(property) && String(property["pattern"]).includes("KiB")
        ? [[key, property["minimum"], property["maximum"]] as const]
        : [],
    );
  });
}

describe("limit-range", () => {
  test("says of sizes with a unit what the schema says of numbers", () => {
    const sizes = sizesOfSchema();
    expect(sizes.length).toBeGreaterThan(10);
    for (const [key, least, most] of sizes) {
      const range = sizeRanges[key];
      // Whatever is a size at all is large enough for these two.
      if (key === "body_rate" || key === "kept_size") expect(range, key).toBeUndefined();
      else expect([key, bytes(range?.least), bytes(range?.most)]).toEqual([key, least, most]);
    }
  });

  test.each([
    ["24d", true],
    ["576h", true],
    ["577h", false],
    ["25d", false],
    ["999999d", false],
  ])("takes a time of %s: %s", async (time, isFine) => {
    const loaded = await loadText(`
limits: {calls: {queue_time: ${time}}, providers: {breaker: {pause: ${time}}}}
server: {shutdown: {delay: ${time.slice(-4)}, grace: ${time}}}
providers: {wiki: {mcp_url: https://mcp.example.com/mcp, limits: {pause: ${time}}}}
`);
    const codes = loaded.diagnostics.map(({ code }) => code);
    expect(codes.length).toBe(isFine ? 0 : 5);
    expect(new Set(codes)).toEqual(new Set(isFine ? [] : ["limit-range"]));
  });
});

function bytes(size: string | undefined): number | undefined {
  return size === undefined ? undefined : readSize(size);
}
