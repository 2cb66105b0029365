import fc from "fast-check";
import { expect, test } from "vitest";
import { createConnectUrl } from "../../src/credentials/connect-url.ts";

test("a connect URL is a page of the gateway that says what to connect, whatever the names are", () => {
  const name = fc.string({ unit: "grapheme" });
  const connectUrl = createConnectUrl(() => "https://gw.example.com/tools");
  fc.assert(
    fc.property(name, name, fc.option(name), fc.option(name), (provider, connection, instance, tenant) => {
      const url = new URL(
        connectUrl({
          ...{ provider, connection },
          instance: instance ?? undefined,
          tenant: tenant ?? undefined,
        }),
      );
      expect(`${url.origin}${url.pathname}${url.hash}`).toBe("https://gw.example.com/tools/connect");
      expect(Object.fromEntries(url.searchParams)).toEqual({
        ...{ provider, connection },
        ...(instance !== null && { instance }),
        ...(tenant !== null && { tenant }),
      });
    }),
  );
});

test("it is where the gateway is reached at that moment", () => {
  let base = "http://127.0.0.1:8080";
  const connectUrl = createConnectUrl(() => base);
  expect(connectUrl({ provider: "crm", connection: "default" })).toBe(
    "http://127.0.0.1:8080/connect?provider=crm&connection=default",
  );
  base = "https://gw.example.com";
  expect(connectUrl({ provider: "crm", connection: "default" })).toMatch(/^https:\/\/gw\.example\.com\//);
});
