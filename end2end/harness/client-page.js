// The client page, as the tests of several pages use it.
import { expect } from "./page.js";

/** The row of a channel that this page has joined. */
export const channel = (page, topic) => page.locator(".channel-row", { hasText: topic });

/** The rows of the frames whose line has this text. */
export const frame = (page, text) =>
  page
    .getByRole("listbox", { name: "Frames, newest first" })
    .getByRole("option")
    .filter({ hasText: text });

/** Joins a topic with the form. */
export async function join(page, topic) {
  await page.getByLabel("Topic").fill(topic);
  await page.getByRole("button", { name: "Join", exact: true }).click();
}

/** Opens a client page that has joined a topic. */
export async function clientOn(page, open, topic, name) {
  await open(page, `/client?name=${name}`);
  await join(page, topic);
  await expect(channel(page, topic)).toContainText("joined");
}

/** Sends an event on the chosen channel. */
export async function send(page, event, payload = "{}") {
  const form = page.getByRole("form", { name: "Send an event" });
  await form.getByLabel("Event").fill(event);
  await form.getByLabel("Payload").fill(payload);
  await form.getByRole("button", { name: "Send" }).click();
}

/** Waits for a frame, holds the list still, and opens the frame in full. */
export async function openFrame(page, text) {
  await expect(frame(page, text).first()).toBeVisible();
  await page.getByRole("button", { name: "Pause" }).click();
  await frame(page, text).first().click();
  return page.getByRole("region", { name: "The chosen frame" });
}
