// `/client`: what a page of one's own would do, by hand.
import { channel, join, openFrame, send } from "../harness/client-page.js";
import { GATEWAY_GONE, expect, test } from "../harness/page.js";

const card = (page, title) =>
  page.locator(".card").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
for (const path of ["/?name=alice", "/client?name=alice"]) {
  test(`${path} connects as alice, and the gateway's clock ticks`, async ({ page, open }) => {
    await open(page, path);
    await expect(card(page, "Connection").getByText("alice")).toBeVisible();
    await expect(channel(page, "system")).toContainText("joined");
    const counter = page.locator("dl.facts > div", { hasText: "Counter" }).locator("dd");
    await expect(counter).toHaveText(/^\d+$/);
    const before = await counter.textContent();
    await expect(counter).not.toHaveText(before);
  });
}

test("joins, pushes with an answer, receives, leaves", async ({ page, open, bus, topic }) => {
  await open(page, "/client");
  await page.getByLabel("Name").fill("alice");
  await page.getByRole("button", { name: "Connect" }).click();
  await join(page, topic);
  await expect(channel(page, topic)).toContainText("joined");
  await expect(card(page, "Presence")).toContainText("alice");

  await send(page, "say", '{"z": 1, "a": "ü"}');
  await expect(page.locator(".answers .answer")).toContainText(["ok"]);
  expect(JSON.parse(await bus.next(topic, "say"))).toEqual({ z: 1, a: "ü" });

  await bus.publish(topic, "news", '{"headline":"tide"}');
  await expect(await openFrame(page, "news")).toContainText('"headline": "tide"');

  await page.getByRole("button", { name: `Leave ${topic}` }).click();
  await expect(channel(page, topic)).toHaveCount(0);
  expect(JSON.parse(await bus.next(topic, "phx_leave"))).toMatchObject({ id: "alice" });
});

test("says why a join is refused and what to do about it", async ({ page, open, topic }) => {
  await open(page, "/client?name=alice");
  await page.getByLabel("With a token for this channel").uncheck();
  await join(page, topic);
  const notice = page.getByRole("alert").filter({ hasText: "The join was refused" });
  await expect(notice).toContainText("unauthorized");
  await expect(notice).toContainText("Join with a token");
});

test("says what is wrong with a payload, and sends nothing", async ({ page, open, bus, topic }) => {
  await open(page, "/client?name=alice");
  await join(page, topic);
  await expect(channel(page, topic)).toContainText("joined");
  await send(page, "broken", '{"a": }');
  await expect(page.getByText(/Not JSON: .* at line 1 column/)).toBeVisible();
  await send(page, "whole", "{}");
  await bus.next(topic, "whole");
  expect(bus.heard.filter(({ name }) => name.endsWith(":broken"))).toEqual([]);
});

test("two pages see each other come and go", async ({ page, other, open, topic }) => {
  await open(page, "/client?name=alice");
  await join(page, topic);
  await expect(card(page, "Presence")).toContainText("1 member");
  await open(other, "/client?name=bob");
  await join(other, topic);
  await expect(card(page, "Presence")).toContainText("2 members");
  await expect(card(page, "Presence")).toContainText("bob");
  await expect(card(other, "Presence")).toContainText("alice");
  await other.close();
  await expect(card(page, "Presence")).toContainText("1 member");
});

test.describe("when the gateway is killed and started again", () => {
  test.use({ own: true, expected: GATEWAY_GONE });

  test("the channel is interrupted, joined again, and works", async ({
    page,
    open,
    gateway,
    bus,
    topic,
  }) => {
    await open(page, "/client?name=alice");
    await join(page, topic);
    await expect(channel(page, topic)).toContainText("joined");
    await gateway.kill();
    await expect(channel(page, topic)).toContainText("interrupted");
    await expect(card(page, "Connection")).toContainText("not open");
    await gateway.begin();
    await bus.ready();
    await expect(channel(page, topic)).toContainText("joined", { timeout: 30_000 });
    await send(page, "back", "{}");
    expect(String(await bus.next(topic, "back"))).toBe("{}");
  });
});
