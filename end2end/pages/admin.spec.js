// `/admin`: signing in, watching, steering; each action is seen where it is meant to be felt.
import { confirm, signIn } from "../harness/admin.js";
import { channel, clientOn, frame, join, openFrame, send } from "../harness/client-page.js";
import { expect, test } from "../harness/page.js";

// To Chromium these answers are errors: a wrong password is refused, and a channel whose last member
// has been removed is no more.
test.use({ expected: /status of 401|status of 404 .*\/api\/v1\/channels\// });

test("a wrong password is refused, the right one opens a session no script can read", async ({
  page,
  open,
  context,
}) => {
  await open(page, "/admin");
  await signIn(page, { password: "wrong" });
  await expect(page.locator(".field[data-invalid=true] .field-note")).not.toBeEmpty();
  await signIn(page);
  await expect(page.getByRole("navigation", { name: "Admin pages" })).toBeVisible();
  const cookie = (await context.cookies()).find(({ name }) => name === "tidegate_session");
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password", { exact: true })).toBeVisible();
  expect((await context.cookies()).some(({ name }) => name === "tidegate_session")).toBe(false);
});

test("the overview shows the figures of now", async ({ page, other, open, topic }) => {
  await clientOn(other, open, topic, "bob");
  await open(page, "/admin");
  await signIn(page);
  const tile = (name) => page.locator(".tiles > div", { hasText: name }).locator("dd");
  await expect(tile("Connections")).toHaveText(/^[1-9]\d*$/);
  await expect(tile("Members")).toHaveText(/^[1-9]\d*$/);
  await expect(page.locator(".card", { hasText: "Bus" }).first()).toContainText("up");
  const up = await tile("Up for").textContent();
  await expect(tile("Up for")).not.toHaveText(up);
});

test("an event sent here reaches the client page", async ({ page, other, open, topic }) => {
  await clientOn(other, open, topic, "bob");
  await open(page, "/admin/send");
  await signIn(page);
  await page.getByLabel("Topic").fill(topic);
  await page.getByRole("textbox", { name: "Event" }).fill("notice");
  await page.getByLabel("Payload, JSON").fill('{"text": "high tide at noon"}');
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.locator(".toast")).toContainText("notice");
  await expect(await openFrame(other, "notice")).toContainText("high tide at noon");
});

test("a removed member is told, and may come back", async ({ page, other, open, topic }) => {
  await clientOn(other, open, topic, "bob");
  await open(page, `/admin/channels/${topic}`);
  await signIn(page);
  await page.getByRole("button", { name: `Remove bob from ${topic}` }).click();
  await confirm(page, "Remove");
  await expect(page.locator(".toast")).toContainText(topic);
  await expect(other.getByRole("alert").filter({ hasText: "The channel was closed" })).toBeVisible();
  await other.getByRole("button", { name: "Join again" }).click();
  await expect(channel(other, topic).last()).toContainText("joined");
});

test("a closed channel is closed for all its members", async ({ page, other, open, topic }) => {
  await clientOn(other, open, topic, "bob");
  await open(page, `/admin/channels/${topic}`);
  await signIn(page);
  await page.getByRole("button", { name: "Close channel" }).click();
  await confirm(page, "Close the channel");
  await expect(other.getByRole("alert").filter({ hasText: "The channel was closed" })).toBeVisible();
});

test("a closed connection comes back by itself", async ({ page, other, open, topic }) => {
  await clientOn(other, open, topic, "bob");
  const joins = frame(other, "phx_join").filter({ hasText: topic });
  await expect(joins).toHaveCount(1);
  await open(page, "/admin/connections");
  await signIn(page);
  await page.getByLabel("Search").fill(topic);
  await expect(page.getByRole("row").filter({ hasText: topic })).toHaveCount(1);
  // Within the row: others may still stand beside it while the search is answered.
  const row = page.getByRole("row").filter({ hasText: topic });
  await row.getByRole("button", { name: /^Close connection/ }).click();
  await confirm(page, "Close the connection");
  await expect(joins).toHaveCount(2);
  await expect(channel(other, topic)).toContainText("joined");
});

test("live messages show what goes to and fro", async ({ page, other, open, bus, topic }) => {
  await clientOn(other, open, topic, "bob");
  await open(page, `/admin/live/${topic}`);
  await signIn(page);
  // The watch is live once its first second is counted.
  await expect(page.getByText(/event.* per second|events\/s|events? in the last second/i).first()).toBeVisible();
  await bus.publish(topic, "news", '{"headline":"ebb"}');
  await send(other, "question");
  const events = page.getByRole("listbox", { name: "Events, newest first" }).getByRole("option");
  await expect(events.filter({ hasText: "news" })).toContainText("to clients");
  await expect(events.filter({ hasText: "question" })).toContainText("from a client");
});

test("a definition decides who may join", async ({ page, other, open, topic }) => {
  await open(page, "/admin/definitions");
  await signIn(page);
  await page.getByLabel("Pattern").fill(topic);
  await page.getByLabel("Who may join").selectOption({ label: "Anybody, with or without a token" });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row").filter({ hasText: topic })).toBeVisible();

  await open(other, "/client?name=bob");
  await other.getByLabel("With a token for this channel").uncheck();
  await join(other, topic);
  await expect(channel(other, topic)).toContainText("joined");
});

test("a question may be answered after its row was drawn anew", async ({
  page,
  other,
  open,
  topic,
}) => {
  await clientOn(other, open, topic, "bob");
  await open(page, "/admin/connections");
  await signIn(page);
  await page.getByLabel("Search").fill(topic);
  const row = page.getByRole("row").filter({ hasText: topic });
  const button = row.getByRole("button", { name: /^Close connection/ });
  await button.evaluate((button) => (button.dataset.asked = "yes"));
  await button.click();
  // The client says something, so its figures change and the list draws the row anew.
  await expect(row.locator("[data-asked]")).toHaveCount(0);
  await confirm(page, "Close the connection");
  await expect(frame(other, "phx_join").filter({ hasText: topic })).toHaveCount(2);
});
