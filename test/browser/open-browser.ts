import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Where the browser is that these tests use; Debian's package `chromium` puts it there. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Starts a real Chromium with an empty profile of its own, which is gone with it. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}. \`npm run browser -- --install\` installs it.`,
    );
  }
  return chromium.launch({
    executablePath,
    headless: true,
    // People's browsers keep whole pages for the back button; without that, these tests would show less than people see.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Sites of other people, and names that lead to this machine behind their back.
      "--host-resolver-rules=MAP *.example 127.0.0.1",
    ],
  });
}

/** Somebody's browser: cookies of its own, and all that its pages complain of. */
export interface Person extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of pages, refusals of their content security policy, and dialogs that they opened. */
  readonly complaints: readonly string[];
  /** `METHOD status path` of each answer that came from the gateway since this was asked last; `blocked` in place of a status. */
  readonly answers: () => readonly string[];
}

/** Opens a browser for somebody; `host` is the gateway's, with its port. */
export async function openPerson(browser: Browser, host: string): Promise<Person> {
  const context = await browser.newContext();
  const complaints: string[] = [];
  let answers: string[] = [];
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("dialog", (dialog) => {
    complaints.push(`${dialog.type()}: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const note = (url: string, method: string, status: number | string): void => {
    const { host: asked, pathname } = new URL(url);
    if (asked === host) answers.push(`${method} ${status} ${pathname}`);
  };
  context.on("response", (response) => note(response.url(), response.request().method(), response.status()));
  context.on("requestfailed", (request) => note(request.url(), request.method(), "blocked"));
  return {
    context,
    page: await context.newPage(),
    complaints,
    answers: () => {
      const all = answers;
      answers = [];
      return all;
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
