import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileWatch } from "../../src/cli/watch-files.ts";

/** In one piece, so that no look falls between the emptying of a file and its writing. */
async function writeFile(file: string, text: string): Promise<void> {
  writeFileSync(file, text);
}

let folder: string;
let watch: FileWatch;
let told: number;
let waiting: (() => void) | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-watch-"));
  told = 0;
  watch = new FileWatch(() => {
    told += 1;
    waiting?.();
  }, 5);
});
afterEach(async () => {
  watch.close();
  await rm(folder, { recursive: true });
});

/** Waits until the watch has told once more than before `change`. */
async function tellsOf(change: () => Promise<void>): Promise<void> {
  const before = told;
  await change();
  await new Promise<void>((resolve) => {
    waiting = resolve;
    if (told > before) resolve();
  });
  expect(told).toBe(before + 1);
}

test("a file written in place, replaced by another, removed, and put back", async () => {
  const file = join(folder, "gestalt.yaml");
  await writeFile(file, "one");
  watch.set(() => [file]);
  await tellsOf(() => writeFile(file, "two, in place"));
  await tellsOf(async () => {
    await writeFile(`${file}.new`, "three, renamed over");
    await rename(`${file}.new`, file);
  });
  await tellsOf(() => rm(file));
  await tellsOf(() => writeFile(file, "back"));
});

test("a folder replaced as a whole", async () => {
  const inner = join(folder, "config");
  await mkdir(inner);
  await writeFile(join(inner, "gestalt.yaml"), "one");
  watch.set(() => [join(inner, "gestalt.yaml")]);
  await tellsOf(async () => {
    await rename(inner, `${inner}.old`);
    await mkdir(inner);
    await writeFile(join(inner, "gestalt.yaml"), "two");
  });
  await tellsOf(() => writeFile(join(inner, "gestalt.yaml"), "three"));
});

test("a symbolic link set anew, as Kubernetes does for a ConfigMap", async () => {
  for (const version of ["v1", "v2"]) {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, "gestalt.yaml"), version);
  }
  await symlink("v1", join(folder, "..data"));
  await symlink("..data/gestalt.yaml", join(folder, "gestalt.yaml"));
  watch.set(() => [join(folder, "gestalt.yaml")]);
  await tellsOf(async () => {
    await symlink("v2", join(folder, "..data.new"));
    await rename(join(folder, "..data.new"), join(folder, "..data"));
  });
});

test("other files and a new set of files tell nothing", async () => {
  const file = join(folder, "gestalt.yaml");
  await writeFile(file, "one");
  watch.set(() => [file]);
  await writeFile(join(folder, "other.yaml"), "x");
  watch.set(() => [file, join(folder, "other.yaml")]);
  await tellsOf(() => writeFile(join(folder, "other.yaml"), "changed"));
  expect(told).toBe(1);
});

test("a set that grows and shrinks by itself", async () => {
  const [entry, part] = [join(folder, "api.yaml"), join(folder, "part.yaml")];
  await writeFile(entry, "one");
  await writeFile(part, "one");
  // What is written in the millisecond of the call counts as written since.
  await delay(5);
  let files: readonly string[] = [entry];
  let asked: (() => void) | undefined;
  watch.set(() => {
    asked?.();
    return files;
  });
  const looks = async (): Promise<void> => {
    for (let look = 0; look < 3; look += 1) await new Promise<void>((resolve) => (asked = resolve));
  };
  files = [entry, part];
  await looks();
  expect(told).toBe(0);
  await tellsOf(() => writeFile(part, "changed"));
  files = [entry];
  await writeFile(part, "changed once more");
  await looks();
  expect(told).toBe(1);
});

test("a change is told even when the same files are set again before it was noticed", async () => {
  const file = join(folder, "gestalt.yaml");
  await writeFile(file, "one");
  watch.set(() => [file]);
  await tellsOf(async () => {
    await writeFile(file, "changed");
    watch.set(() => [file]);
  });
});

test("a file that changed before it came into the set, and after the set was given, may have been read before that", async () => {
  const [entry, part] = [join(folder, "api.yaml"), join(folder, "part.yaml")];
  await writeFile(entry, "one");
  await writeFile(part, "one");
  let files: readonly string[] = [entry];
  watch.set(() => files);
  await delay(20);
  await tellsOf(async () => {
    await writeFile(part, "changed");
    files = [entry, part];
  });
});
