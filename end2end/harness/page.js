// Pages of the interface: opened, hydrated, and without a complaint on the console.
import { test as base, expect } from "./test.js";

export { expect } from "./test.js";

export const test = base.extend({
  /** What the console may complain of in this test; everything else fails it. */
  expected: [/(?!)/, { option: true }],

  // Both pages name the gateway, so that they are judged while it still runs.
  page: async ({ gateway, page, expected }, use) => {
    const complaints = watchConsole(page);
    await use(page);
    expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
  },

  /** Opens a page of the gateway and waits until WebAssembly has taken it over. */
  open: async ({ gateway }, use) => {
    await use(async (page, path) => {
      await page.goto(gateway.url + path);
      await hydrated(page);
    });
  },

  /** A second page in a browser session of its own. */
  other: async ({ gateway, browser, expected }, use) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints = watchConsole(page);
    await use(page);
    expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
    await context.close();
  },
});

function watchConsole(page) {
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return complaints;
}

/**
 * The server renders every page as connecting, for it cannot know better; the first thing that
 * WebAssembly does is to say what is so.
 */
export async function hydrated(page) {
  await expect(pill(page)).not.toHaveText("Connecting…", { timeout: 30_000 });
}

/** What the header says about the connection. */
export function pill(page) {
  return page.locator("header .pill .pill-long");
}

/** The socket of a page whose gateway is gone: the browser says so, whatever the page does. */
export const GATEWAY_GONE = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;
