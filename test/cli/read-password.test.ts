import { describe, expect, test } from "vitest";
import { readNewPassword, readPassword, readPasswordChange } from "../../src/cli/read-password.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";

const asked = { passwordStdin: false };
const piped = { passwordStdin: true };

describe("a password", () => {
  test("is asked for once", async () => {
    const prompt = scriptedPrompt({ answers: ["open sesame"] });
    expect((await readPassword(asked, prompt)).reveal()).toBe("open sesame");
    expect(prompt.questions).toEqual(["Password"]);
  });

  test.each([
    ["open sesame\n", "open sesame"],
    ["open sesame\r\n", "open sesame"],
    ["open sesame", "open sesame"],
    [" open sesame ", " open sesame "],
  ])("comes from standard input without the line end: %j", async (input, password) => {
    expect((await readPassword(piped, scriptedPrompt({ input }))).reveal()).toBe(password);
    expect((await readNewPassword(piped, scriptedPrompt({ input }))).reveal()).toBe(password);
  });

  test("that is new is asked for twice", async () => {
    const prompt = scriptedPrompt({ answers: ["open sesame", "open sesame"] });
    expect((await readNewPassword(asked, prompt)).reveal()).toBe("open sesame");
    expect(prompt.questions).toHaveLength(2);
  });

  test("that was typed differently is none", async () => {
    const prompt = scriptedPrompt({ answers: ["open sesame", "open sesam"] });
    await expect(readNewPassword(asked, prompt)).rejects.toMatchObject({ code: "bad_request" });
  });

  test.each(["", "\n"])("is not empty: %j", async (input) => {
    await expect(readPassword(piped, scriptedPrompt({ input }))).rejects.toMatchObject({
      code: "bad_request",
    });
  });

  test("is one line", async () => {
    const prompt = scriptedPrompt({ input: "one\ntwo\n" });
    await expect(readPassword(piped, prompt)).rejects.toThrow(UsageError);
  });

  test("that nobody can be asked for is refused with what to do", async () => {
    const nobody = scriptedPrompt({});
    for (const read of [readPassword, readNewPassword, readPasswordChange]) {
      await expect(read(asked, nobody)).rejects.toThrow("--password-stdin");
    }
  });
});

describe("a password in place of another", () => {
  test("is asked for with the current one", async () => {
    const prompt = scriptedPrompt({ answers: ["old", "new", "new"] });
    const { current, next } = await readPasswordChange(asked, prompt);
    expect([current.reveal(), next.reveal()]).toEqual(["old", "new"]);
  });

  test("comes from standard input as two lines", async () => {
    const { current, next } = await readPasswordChange(piped, scriptedPrompt({ input: "old\nnew\n" }));
    expect([current.reveal(), next.reveal()]).toEqual(["old", "new"]);
  });

  test.each(["old\n", "old\nnew\nmore\n"])("is neither one line nor three: %j", async (input) => {
    await expect(readPasswordChange(piped, scriptedPrompt({ input }))).rejects.toThrow(UsageError);
  });
});
