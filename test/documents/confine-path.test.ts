import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { confinePath } from "../../src/documents/confine-path.ts";

let outer: string;
let folder: string;

beforeAll(async () => {
  outer = await realpath(await mkdtemp(join(tmpdir(), "confine-")));
  folder = join(outer, "folder");
  await mkdir(join(folder, "..data"), { recursive: true });
  await writeFile(join(outer, "secret"), "");
  await writeFile(join(folder, "..data", "file"), "");
  await symlink("..data/file", join(folder, "link"));
  await symlink("../secret", join(folder, "escape"));
  await symlink("loop", join(folder, "loop"));
  await symlink(folder, join(outer, "alias"));
});

afterAll(() => rm(outer, { recursive: true }));

test.each([
  ["a file", "folder/..data/file", "folder"],
  ["a link to it", "folder/link", "folder"],
  ["a file in a folder that is a link itself", "alias/link", "alias"],
])("%s inside of the folder is found where it really is", async (_name, path, within) => {
  expect(await confinePath(join(outer, path), join(outer, within))).toEqual({
    ok: true,
    path: join(folder, "..data", "file"),
  });
});

test.each([
  ["a file beside the folder", "secret", "lies outside"],
  ["a name that only begins like the folder's", "folder-2/file", "lies outside"],
  ["the folder around it", ".", "lies outside"],
  ["a link that leads out", "folder/escape", "lies outside"],
  ["a link to itself", "folder/loop", "can't be read"],
  ["nothing", "folder/nothing", "does not exist"],
])("%s is refused", async (_name, path, reason) => {
  const confined = await confinePath(join(outer, path), folder);
  expect(confined).toMatchObject({ ok: false, message: expect.stringContaining(reason) });
});

test("what is no regular file is not waited for", async () => {
  const path = join(folder, "socket");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    expect(await confinePath(path, folder)).toMatchObject({ ok: false, message: "is not a regular file." });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
