// `/`: recorded aircraft come over the gateway from the real plugin, and the page shows it.
import { GATEWAY_GONE, expect, pill, test as base } from "../harness/page.js";

const test = base.extend({
  /** A gateway with both plugins, for these tests alone. */
  gateway: async ({ gateway }, use) => {
    gateway.plugin("flights");
    gateway.plugin("host");
    await use(gateway);
  },
});
test.use({ own: true });

const list = (page) => page.getByRole("listbox", { name: "Aircraft" });
const rows = (page) => list(page).getByRole("option");
const summary = (page) => page.locator(".list-summary");
const details = (page) => page.getByRole("region", { name: "Selected aircraft" });
const figure = (page, name) =>
  details(page).locator("dl > div", { hasText: name }).locator("dd");

test("aircraft appear, and the one that is chosen moves", async ({ page, open }) => {
  await open(page, "/");
  await expect(pill(page)).toHaveText("Live");
  await expect(rows(page).first()).toBeVisible();
  await expect(summary(page)).toHaveText(/^[1-9]\d* aircraft · recording \d\d:\d\d:\d\d UTC$/);

  // The fastest one: it moves by some two hundred metres a second.
  await page.getByRole("button", { name: /^Sort by speed/ }).click();
  await rows(page).first().click();
  await expect(details(page)).toBeVisible();
  const before = await figure(page, "Position").textContent();
  expect(before).toMatch(/^-?\d+\.\d+, -?\d+\.\d+$/);
  await expect(figure(page, "Position")).not.toHaveText(before);
});

test("the recording's clock goes on", async ({ page, open }) => {
  await open(page, "/");
  await expect(summary(page)).toHaveText(/recording/);
  const before = await summary(page).textContent();
  await expect(summary(page)).not.toHaveText(before);
});

test("the list can be searched, and says when nothing fits", async ({ page, open }) => {
  await open(page, "/");
  await expect(rows(page).first()).toBeVisible();
  const name = (await rows(page).first().locator(".list-name").textContent()).trim();
  const search = page.getByRole("searchbox");
  await search.fill(name);
  await expect(summary(page)).toHaveText(/^\d+ of \d+ aircraft/);
  await expect(rows(page).first().locator(".list-name")).toHaveText(name);
  await search.fill("no such aircraft");
  await expect(summary(page)).toHaveText(/^0 of \d+ aircraft/);
  await expect(page.locator(".list-body .empty-state")).toBeVisible();
});

test("the list is sorted by altitude, highest first", async ({ page, open }) => {
  await open(page, "/");
  await expect(rows(page).nth(3)).toBeVisible();
  await page.getByRole("button", { name: /^Sort by altitude/ }).click();
  await expect(page.getByRole("button", { name: /^Sort by altitude, sorted desc/ })).toBeVisible();
  // Read in one go, for the next second may change it.
  const altitudes = () =>
    list(page).evaluate((list) =>
      [...list.querySelectorAll('[role="option"]:not([hidden])')]
        .sort((a, b) => a.ariaPosInSet - b.ariaPosInSet)
        .map((row) => row.querySelectorAll(".list-row > span")[1].textContent.replace(/\D/g, ""))
        .filter(Boolean)
        .map(Number),
    );
  await expect
    .poll(async () => {
      const seen = await altitudes();
      return seen.length > 3 && seen.every((value, i) => i === 0 || value <= seen[i - 1]);
    })
    .toBe(true);
});

test("keys reach the list and choose from it; Escape lets go", async ({ page, open }) => {
  await open(page, "/");
  await expect(rows(page).first()).toBeVisible();
  await list(page).focus();
  await page.keyboard.press("ArrowDown");
  await expect(details(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(details(page)).toBeHidden();
});

test("the host's charts have values", async ({ page, open }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await open(page, "/");
  const host = page.getByRole("region", { name: "Host" });
  await expect(host.getByText(/^\d+ %$/).first()).toBeVisible();
  await expect(host.locator("canvas").first()).toBeVisible();
});

test("before WebAssembly has loaded the page says what it is and how the gateway is", async ({
  browser,
  gateway,
}) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(gateway.url);
  await expect(page.getByText("Live air traffic, as it comes over the gateway")).toBeVisible();
  await expect(page.getByText(/its bus is up/)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link")).toHaveCount(3);
  await context.close();
});

test.describe("when the gateway is killed and started again", () => {
  test.use({ expected: GATEWAY_GONE });

  test("the page says so, comes back by itself, and aircraft move on", async ({
    page,
    open,
    gateway,
  }) => {
    await open(page, "/");
    await expect(rows(page).first()).toBeVisible();
    // The map has all it needs from the gateway.
    await expect(page.locator(".map-notice")).toBeHidden();
    await gateway.kill();
    await expect(pill(page)).toHaveText(/^Reconnecting/);
    await expect(page.getByRole("alert").filter({ hasText: "was lost" })).toBeVisible();
    await gateway.begin();
    await expect(pill(page)).toHaveText("Live", { timeout: 30_000 });
    await expect(rows(page).first()).toBeVisible();
    const before = await summary(page).textContent();
    await expect(summary(page)).not.toHaveText(before);
  });
});
