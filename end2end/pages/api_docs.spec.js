// `/docs/api`: what the gateway's own document says, found, read and tried.
import { ADMIN_PASSWORD } from "../harness/gateway.js";
import { expect, test } from "../harness/page.js";

/** The document itself, asked for by nobody who has signed in. */
async function operationsOf(request, gateway) {
  const answer = await request.get(`${gateway.url}/api/v1/openapi.json`);
  expect(answer.ok()).toBe(true);
  const { paths } = await answer.json();
  const shown = ["get", "post", "put", "patch", "delete"];
  return Object.entries(paths).flatMap(([path, item]) =>
    shown.filter((method) => item[method]).map((method) => ({ path, id: item[method].operationId })),
  );
}

/** P3: every operation of the document is on the page, without anything from elsewhere. */
test("the page shows every operation, and asks nobody but the gateway", async ({
  page,
  gateway,
  open,
  request,
}) => {
  const elsewhere = [];
  page.on("request", (asked) => {
    const url = asked.url();
    if (!url.startsWith(gateway.url) && !/^(data|blob):/.test(url)) elsewhere.push(url);
  });
  await open(page, "/docs/api");
  const operations = await operationsOf(request, gateway);
  await expect(page.locator(".api-operation")).toHaveCount(operations.length);
  for (const { id } of operations) await expect(page.locator(`#${id}`)).toBeVisible();
  expect(elsewhere).toEqual([]);
});

test("the search finds an operation, which says what it asks and answers", async ({ page, open }) => {
  await open(page, "/docs/api");
  await page.getByLabel("Search").fill("rotate");
  await expect(page.getByRole("status").filter({ hasText: /of \d+ operations/ })).toBeVisible();
  const rotate = page.locator("#post_auth_keys_rotate");
  await expect(rotate).toBeVisible();
  await expect(page.locator("#get_channels")).toBeHidden();
  // With keys alone.
  await rotate.locator("summary").focus();
  await page.keyboard.press("Enter");
  await expect(rotate).toContainText("immediate");
  await expect(rotate).toContainText("bearer: admin");
  await expect(rotate.locator(".api-refusals")).toContainText("401");

  await page.getByLabel("Search").fill("nothing has this name");
  await page.getByRole("button", { name: "Clear the search" }).click();
  await expect(page.locator("#get_channels")).toBeVisible();
});

test("an address with an operation in it opens it", async ({ page, open }) => {
  await open(page, "/docs/api#get_channels_topic");
  await expect(page.locator("#get_channels_topic")).toContainText("opened_at");
  await expect(page.locator("#get_channels_topic")).toBeInViewport();
});

test("what reads can be tried with the session of the browser", async ({ page, gateway, open }) => {
  await page.request.post(`${gateway.url}/api/v1/session`, {
    headers: { "x-tidegate-request": "1" },
    data: { password: ADMIN_PASSWORD },
  });
  await open(page, "/docs/api#get_connections");
  const operation = page.locator("#get_connections");
  await operation.getByLabel("limit").fill("1");
  await expect(operation.locator(".api-target")).toHaveText("/api/v1/connections?limit=1");
  await operation.getByRole("button", { name: "Ask" }).click();
  await expect(operation.locator(".api-came")).toContainText('"total"');
  // What changes something is described and not tried.
  await page.locator("#delete_channels_topic summary").click();
  await expect(page.locator("#delete_channels_topic .api-refusals")).toContainText("404");
  await expect(page.locator("#delete_channels_topic .api-try")).toHaveCount(0);
});

for (const width of [360, 900, 1920]) {
  test(`open operations fit ${width} px`, async ({ page, open }) => {
    await page.setViewportSize({ width, height: 800 });
    await open(page, "/docs/api");
    for (const id of ["get_overview", "post_auth_token", "get_activity"]) {
      await page.locator(`#${id} summary`).click();
      await expect(page.locator(`#${id} .api-answer`)).toBeVisible();
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
  });
}

test("the admin pages lead to it", async ({ page, gateway, open }) => {
  await page.request.post(`${gateway.url}/api/v1/session`, {
    headers: { "x-tidegate-request": "1" },
    data: { password: ADMIN_PASSWORD },
  });
  await open(page, "/admin");
  await page.getByRole("link", { name: "HTTP API" }).click();
  await expect(page.getByRole("heading", { name: "HTTP API" })).toBeVisible();
});
