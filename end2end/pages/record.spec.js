// `/admin`: what was done, what is set, and what is so when the store or the gateway is away.
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Admin, card, row, signedIn, statusFor } from "../harness/admin.js";
import { ADMIN_PASSWORD } from "../harness/gateway.js";
import { GATEWAY_GONE, expect, test } from "../harness/page.js";

test("activity shows what was just done, is searched, counted and taken along", async ({
  page,
  open,
  gateway,
  topic,
}) => {
  await signedIn(page, gateway);
  await open(page, "/admin/activity");
  const records = card(page, "Activity");
  // It stands there before, and learns of it by itself.
  const admin = await Admin.of(gateway);
  await page.getByLabel("Search").fill(topic);
  await expect(page.getByText("Nothing matches the search")).toBeVisible();
  const { key } = await admin.ask("POST", "/auth/api-keys", { name: topic, role: "viewer" });
  await expect(row(records, `Made API key ${topic} as viewer.`)).toContainText("POST /auth/api-keys");
  expect(await statusFor(gateway, key, "/auth/users")).toBe(403);
  expect(await statusFor(gateway, key)).toBe(200);
  await expect(row(records, `key:${topic}`)).toContainText("403");
  await expect(row(records, "GET /overview")).toHaveCount(0);

  await page.getByLabel("Show", { exact: true }).selectOption("refused");
  await expect(row(records, "This needs the role admin.")).toContainText(`key:${topic}`);
  await expect(row(records, "Made API key")).toHaveCount(0);
  await page.getByLabel("Show", { exact: true }).selectOption("all");
  await expect(row(records, "GET /overview")).toContainText(`key:${topic}`);

  // The counters say the same, and lead to what one principal did.
  const counters = card(page, "Counters");
  const count = row(counters, `key:${topic}`).locator("td");
  await expect(count.nth(1)).toHaveText("1");
  await expect(count.nth(2)).toHaveText("1");
  await page.getByLabel("Search").fill("");
  await page.getByRole("button", { name: `Show what key:${topic} did` }).click();
  await expect(records.locator("tbody tr")).toHaveCount(2);
  await page.getByRole("button", { name: "Of everybody" }).click();
  await expect(row(records, "admin").first()).toBeVisible();

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Export JSON lines" }).click(),
  ]);
  const text = await readFile(await download.path(), "utf8");
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  expect(lines.some(({ outcome }) => outcome === `Made API key ${topic} as viewer.`)).toBe(true);
  expect(text).not.toContain(key);
});

test("the configuration says what holds and who said it, and no secret", async ({
  page,
  open,
  gateway,
}) => {
  await signedIn(page, gateway);
  await open(page, "/admin/configuration");
  const password = row(page, "--admin-password");
  await expect(password).toContainText("********");
  await expect(password).toContainText("flag");
  expect(await page.content()).not.toContain(ADMIN_PASSWORD);
  await page.getByLabel("Search").fill("max-errors");
  await expect(row(page, "--max-errors")).toContainText("default");
  await expect(password).toHaveCount(0);
  await page.getByLabel("Only what somebody has set").check();
  await expect(page.getByText("No setting matches")).toBeVisible();
});

test("an administrator downloads a copy of the store", async ({ page, open, gateway }) => {
  await signedIn(page, gateway);
  await open(page, "/admin/configuration");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download a copy of the store" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("tidegate-backup.db");
  const copy = await readFile(await download.path());
  expect(copy.subarray(0, 15).toString()).toBe("SQLite format 3");
});

test.describe("while the store is lost", () => {
  test.use({ own: true, expected: /status of 50[03]/ });

  /** Takes from the store, under the gateway's feet, what it cannot do without; or gives it back. */
  function rename(gateway, from, to) {
    const script = `import sqlite3, sys
store = sqlite3.connect(sys.argv[1], timeout=15)
store.execute("ALTER TABLE ${from} RENAME TO ${to}")
store.commit()`;
    execFileSync("python3", ["-c", script, join(gateway.state, "tidegate.db")]);
  }

  test("the pages say what goes on and what is refused, until it is back", async ({
    page,
    open,
    gateway,
  }) => {
    await signedIn(page, gateway);
    await open(page, "/admin");
    await expect(card(page, "Store")).toContainText("SQLite answers");
    rename(gateway, "revision", "elsewhere");
    await expect(card(page, "Store")).toContainText("lost");
    await expect(card(page, "Store")).toContainText("Live traffic goes on");
    await page.getByRole("link", { name: "Users", exact: true }).click();
    await expect(page.getByRole("alert").filter({ hasText: "SQLite is lost" })).toBeVisible();
    rename(gateway, "elsewhere", "revision");
    await expect(page.getByRole("alert").filter({ hasText: "SQLite is lost" })).toHaveCount(0);
  });
});

test.describe("while the gateway is away", () => {
  test.use({ own: true, expected: GATEWAY_GONE });

  test("a list says so, keeps what it had, and goes on by itself", async ({
    page,
    open,
    gateway,
    topic,
  }) => {
    await (await Admin.of(gateway)).user(topic, "viewer");
    await signedIn(page, gateway);
    await open(page, "/admin/users");
    await expect(row(page, topic)).toBeVisible();
    await gateway.kill();
    await expect(page.getByText("The gateway cannot be reached")).toBeVisible();
    await expect(row(page, topic)).toBeVisible();
    await gateway.begin();
    await expect(page.getByText("The gateway cannot be reached")).toHaveCount(0);
  });
});
