// `/admin`: who may do what. Users, sessions, API keys, tokens and keys, each felt where it is meant
// to be felt.
import {
  Admin,
  USER_PASSWORD,
  card,
  confirm,
  expectForgotten,
  row,
  signIn,
  signedIn,
  statusFor,
} from "../harness/admin.js";
import { channel, clientOn, frame, join } from "../harness/client-page.js";
import { ADMIN_PASSWORD } from "../harness/gateway.js";
import { expect, test } from "../harness/page.js";

// To Chromium these answers are errors: what is refused here is refused on purpose, and a channel
// whose last member has been removed is no more.
test.use({ expected: /status of (401|403|422|429)|status of 404 .*\/api\/v1\/channels\// });

const NAV = "Admin pages";
const notice = (page, text) => page.getByRole("alert").filter({ hasText: text });

/** The kid of the key in a state, as the list of keys has it. */
async function kidOf(page, state) {
  return (await row(card(page, "Signing keys"), state).locator("td").first().textContent()).trim();
}

test("a user signs in by name, is shown with the role, and signs out", async ({
  page,
  open,
  gateway,
  topic,
}) => {
  const olga = await (await Admin.of(gateway)).user(topic, "operator");
  await open(page, "/admin");
  await signIn(page, { ...olga, password: "wrong" });
  await expect(page.locator(".field[data-invalid=true] .field-note")).not.toBeEmpty();
  await signIn(page, olga);
  await expect(page.getByTitle("Your account")).toContainText(topic);
  await expect(page.getByTitle("Your account")).toContainText("operator");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password", { exact: true })).toBeVisible();
});

test("a user is added, changed, put out and removed", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  await signedIn(page, gateway);
  await open(page, "/admin/users");
  const form = page.getByRole("form", { name: "Add a user" });
  await form.getByLabel("Name").fill("Not A Name");
  await form.getByLabel("Password").fill("short");
  await form.getByRole("button", { name: "Add" }).click();
  await expect(form.getByText("1 to 64 lower-case letters")).toBeVisible();
  await expect(form.getByText("At least 8 characters.", { exact: true })).toBeVisible();
  await form.getByLabel("Name").fill(topic);
  await form.getByLabel("Password").fill(USER_PASSWORD);
  await form.getByRole("button", { name: "Add" }).click();
  const user = row(page, topic);
  await expect(user).toContainText("viewer");

  await open(other, "/admin");
  await signIn(other, { name: topic, password: USER_PASSWORD });
  await expect(other.getByTitle("Your account")).toContainText("viewer");

  await page.getByRole("button", { name: `Change ${topic}` }).click();
  const change = page.getByRole("form", { name: `Change ${topic}` });
  await change.getByLabel("Role").selectOption("operator");
  await change.getByRole("button", { name: "Save" }).click();
  await expect(user).toContainText("operator");
  // The role holds at once, and the page learns of it.
  await other.reload();
  await expect(other.getByTitle("Your account")).toContainText("operator");

  await page.getByRole("button", { name: `Change ${topic}` }).click();
  await change.getByLabel("May sign in").uncheck();
  await change.getByRole("button", { name: "Save" }).click();
  await expect(user).toContainText("disabled");
  await expect(other.getByText("Your session has ended")).toBeVisible();
  await signIn(other, { name: topic, password: USER_PASSWORD });
  await expect(other.locator(".field[data-invalid=true] .field-note")).not.toBeEmpty();

  await page.getByLabel("Search").fill(topic);
  await page.getByRole("button", { name: `Remove ${topic}` }).click();
  await confirm(page, "Remove");
  await expect(user).toHaveCount(0);
});

test("a viewer sees what a viewer may do, and no more", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  const viewer = await (await Admin.of(gateway)).user(topic, "viewer");
  await clientOn(other, open, topic, "bob");
  await signedIn(page, gateway, viewer);
  await open(page, `/admin/channels/${topic}`);
  await expect(row(page, "bob")).toBeVisible();
  const main = page.getByRole("main");
  for (const name of ["Close channel", /^Remove/, "Send", "Save"]) {
    await expect(main.getByRole("button", { name })).toHaveCount(0);
  }
  const nav = page.getByRole("navigation", { name: NAV });
  await expect(nav.getByRole("link", { name: "Definitions" })).toHaveCount(1);
  for (const name of ["Tokens", "Keys", "Users", "Sessions", "API keys", "Activity", "Send"]) {
    await expect(nav.getByRole("link", { name, exact: true })).toHaveCount(0);
  }
  await open(page, "/admin/connections");
  await page.getByLabel("Search").fill(topic);
  await expect(row(page, topic)).toHaveCount(1);
  await expect(main.getByRole("button", { name: /^Close connection/ })).toHaveCount(0);
  await open(page, "/admin/definitions");
  await expect(row(page, "flights")).toBeVisible();
  await expect(main.getByRole("button", { name: /^(Change|Delete|Save)/ })).toHaveCount(0);
  for (const [path, who] of [
    ["/admin/users", "administrators"],
    ["/admin/keys", "administrators"],
    ["/admin/activity", "administrators"],
    ["/admin/configuration", "administrators"],
    ["/admin/tokens", "operators"],
    ["/admin/send", "operators"],
  ]) {
    await open(page, path);
    await expect(page.getByText(`This page is for ${who}`)).toBeVisible();
    await expect(page.getByText("You are signed in as viewer.")).toBeVisible();
  }
});

test("an API key is shown once, works, and is revoked", async ({
  page,
  context,
  open,
  gateway,
  topic,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signedIn(page, gateway);
  await open(page, "/admin/api-keys");
  await page.getByLabel("Name").fill(topic);
  await page.getByRole("button", { name: "Make" }).click();
  const field = page.getByLabel("The new API key");
  await expect(field).toHaveValue(/^tgk_/);
  const key = await field.inputValue();
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.locator(".toast")).toContainText("copied");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  expect(await statusFor(gateway, key)).toBe(200);
  expect(await statusFor(gateway, key, "/auth/users")).toBe(403);

  // Leaving the screen and coming back: it is gone.
  await page.getByRole("link", { name: "Users", exact: true }).click();
  await expect(card(page, "Users")).toBeVisible();
  await expectForgotten(page, key);
  await page.goBack();
  await expect(row(page, topic)).toContainText(key.slice(0, 10));
  await expect(field).toHaveCount(0);
  await expectForgotten(page, key);

  await page.getByRole("button", { name: `Revoke ${topic}` }).click();
  await confirm(page, "Revoke");
  await expect(row(page, topic)).toContainText("revoked");
  expect(await statusFor(gateway, key)).toBe(401);
});

test("a token is issued with a life and rights, shown once, looked into, revoked", async ({
  page,
  open,
  gateway,
  topic,
}) => {
  await signedIn(page, gateway);
  await open(page, "/admin/tokens");
  const form = page.getByRole("form", { name: "Issue a token" });
  await form.getByRole("button", { name: "Issue" }).click();
  await expect(form.getByText("Name at least one channel.")).toBeVisible();
  await form.getByLabel("Channels").fill(`${topic}, ${topic}:*`);
  await form.getByLabel("For whom").fill("ingrid");
  await form.getByLabel("Life").fill("2");
  await form.getByLabel("pushing").uncheck();
  await form.getByRole("button", { name: "Issue" }).click();
  const field = page.getByLabel("The new token");
  await expect(field).toHaveValue(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  const token = await field.inputValue();
  const search = page.getByLabel("Search");
  await search.fill(topic);
  const listed = row(card(page, "Tokens"), "ingrid");
  await expect(listed).toContainText("join, presence");
  await expect(listed).toContainText(/in (2 h 0|1 h 59) min/);
  await page.getByRole("button", { name: "Done" }).click();
  await expectForgotten(page, token);

  const look = page.getByRole("form", { name: "Look into a token" });
  await look.getByLabel("Token").fill(token);
  await look.getByRole("button", { name: "Look" }).click();
  await expect(look).toContainText("The gateway takes this token.");
  await expect(look).toContainText(`${topic} ${topic}:*`);
  await look.getByText("What stands in it").click();
  await expect(look.locator("pre")).toContainText('"alg": "HS256"');

  await listed.getByRole("button", { name: /^Revoke/ }).click();
  await confirm(page, "Revoke");
  await expect(listed).toContainText("revoked");
  await look.getByLabel("Token").fill("");
  await look.getByLabel("Token").fill(token);
  await look.getByRole("button", { name: "Look" }).click();
  await expect(look).toContainText("token revoked");
  await page.reload();
  await expect(card(page, "Tokens")).toBeVisible();
  await expectForgotten(page, token);
});

test("a revoked token's member goes from the list, and is told", async ({
  page,
  context,
  other,
  open,
  gateway,
  topic,
}) => {
  await clientOn(other, open, topic, "bob");
  await signedIn(page, gateway);
  await open(page, `/admin/channels/${topic}`);
  await expect(row(page, "bob")).toBeVisible();
  const tokens = await context.newPage();
  await open(tokens, "/admin/tokens");
  await tokens.getByLabel("Search").fill(topic);
  await tokens.getByRole("button", { name: `Revoke the token of bob for ${topic}` }).click();
  await confirm(tokens, "Revoke");
  await expect(tokens.locator(".toast")).toContainText("1 member");
  await expect(notice(other, "token revoked")).toContainText("Somebody has revoked this token");
  await expect(row(page, "bob")).toHaveCount(0);
  await expect(page.getByText("Nobody has joined")).toBeVisible();
});

test("all tokens of somebody are revoked at once, others stay", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  await clientOn(other, open, topic, topic);
  await signedIn(page, gateway);
  await open(page, "/admin/tokens");
  const form = page.getByRole("form", { name: "Revoke tokens" });
  await form.getByLabel("Which").fill(topic);
  await form.getByRole("button", { name: "Revoke…" }).click();
  await confirm(page, "Revoke");
  await expect(notice(other, "token revoked")).toBeVisible();
  // What is issued later is good.
  await other.getByRole("button", { name: "Join again" }).click();
  await expect(channel(other, topic).last()).toContainText("joined");
});

test.describe("signing keys", () => {
  test.use({ own: true });

  test("one is rotated while a client stays, then what checks is revoked", async ({
    page,
    other,
    open,
    gateway,
    bus,
    topic,
  }) => {
    await clientOn(other, open, topic, "bob");
    await signedIn(page, gateway);
    await open(page, "/admin/keys");
    const old = await kidOf(page, "signs");
    await page.getByRole("button", { name: "Rotate", exact: true }).click();
    await confirm(page, "Rotate");
    await expect(row(page, old)).toContainText("checks");
    await expect(row(page, "signs")).toHaveCount(1);
    expect(await kidOf(page, "signs")).not.toBe(old);
    // The client is the same member as before: it hears what is sent now, and joined once.
    await bus.publish(topic, "news", '{"headline":"ebb"}');
    await expect(frame(other, "news")).toHaveCount(1);
    await expect(frame(other, "phx_join").filter({ hasText: topic })).toHaveCount(1);
    await expect(channel(other, topic)).toContainText("joined");

    // What hangs on the old key is one click away.
    await row(page, old).getByRole("link").click();
    await expect(page.getByText(`Signed by key ${old}`)).toBeVisible();
    await expect(row(card(page, "Tokens"), topic)).toContainText("bob");
    await page.goBack();
    await page.getByRole("button", { name: `Revoke key ${old}` }).click();
    await expect(page.getByRole("dialog")).toContainText("refused from now on");
    await confirm(page, "Revoke the key");
    await expect(row(page, old)).toContainText("revoked");
    await expect(notice(other, "token revoked")).toBeVisible();
  });

  test("one that has leaked takes its members with it, after a warning", async ({
    page,
    other,
    open,
    gateway,
    topic,
  }) => {
    await clientOn(other, open, topic, "bob");
    await signedIn(page, gateway);
    await open(page, "/admin/keys");
    const old = await kidOf(page, "signs");
    await page.getByRole("button", { name: "Rotate at once…" }).click();
    await expect(page.getByRole("dialog")).toContainText("every member who joined with one is removed");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Rotate at once…" }).click();
    await confirm(page, "Refuse all and rotate");
    await expect(row(page, old)).toContainText("revoked");
    await expect(notice(other, "token revoked")).toBeVisible();
  });
});

test("a channel becomes private: the anonymous member is told why", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  await (await Admin.of(gateway)).ask("PUT", "/definitions", { pattern: topic, join: "public" });
  await open(other, "/client?name=bob");
  await other.getByLabel("With a token for this channel").uncheck();
  await join(other, topic);
  await expect(channel(other, topic)).toContainText("joined");

  await signedIn(page, gateway);
  await open(page, "/admin/definitions");
  await page.getByRole("button", { name: `Change ${topic}` }).click();
  await page
    .getByLabel("Who may join")
    .selectOption({ label: "Who shows a token for the channel" });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".toast")).toContainText("1 member without the right to stay");
  const told = notice(other, "The channel was closed: unauthorized");
  await expect(told).toContainText("This channel asks for a token");
});

test("a session of another browser is ended, and that browser says so", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  const olga = await (await Admin.of(gateway)).user(topic, "viewer");
  await signedIn(other, gateway, olga);
  await open(other, "/admin/channels");
  await signedIn(page, gateway);
  await open(page, "/admin/sessions");
  await page.getByLabel("Search").fill(topic);
  await page.getByRole("button", { name: `End the session of ${topic}` }).click();
  await confirm(page, "End the session");
  await expect(row(page, topic)).toHaveCount(0);
  await expect(other.getByText("Your session has ended")).toBeVisible();
});

test("a user changes the own password and ends the own sessions", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  const olga = await (await Admin.of(gateway)).user(topic, "viewer");
  await signedIn(other, gateway, olga);
  await open(other, "/admin/channels");
  await signedIn(page, gateway, olga);
  await open(page, "/admin");
  await page.getByTitle("Your account").click();
  await expect(row(page, "this browser")).toHaveCount(1);
  await expect(page.getByRole("button", { name: /^End the session/ })).toHaveCount(2);
  const form = page.getByRole("form", { name: "Change your password" });
  const type = async (current, password, again = password) => {
    await form.getByLabel("Password until now").fill(current);
    await form.getByLabel("New password", { exact: true }).fill(password);
    await form.getByLabel("New password, once more").fill(again);
    await form.getByRole("button", { name: "Change the password" }).click();
  };
  await type(USER_PASSWORD, "low tide at dusk", "low tide at dawn");
  await expect(form.getByText("This is not the same.")).toBeVisible();
  await type("a guess", "low tide at dusk");
  await expect(page.locator(".toast")).toContainText("another one");
  await type(USER_PASSWORD, "low tide at dusk");
  await expect(page.locator(".toast").last()).toContainText("Your password is changed");
  await expect(form.getByLabel("Password until now")).toHaveValue("");
  await expect(other.getByText("Your session has ended")).toBeVisible();
  await signIn(other, { name: topic, password: "low tide at dusk" });
  await expect(other.getByTitle("Your account")).toContainText(topic);

  await row(page, "this browser").getByRole("button").click();
  await confirm(page, "End the session");
  await expect(page.getByLabel("Password", { exact: true })).toBeVisible();
});

test("the built-in administrator has no password to change here", async ({
  page,
  open,
  gateway,
}) => {
  await signedIn(page, gateway);
  await open(page, "/admin/account");
  await expect(page.getByText("is a setting of the gateway")).toBeVisible();
  await expect(page.getByRole("form", { name: "Change your password" })).toHaveCount(0);
  expect(await page.content()).not.toContain(ADMIN_PASSWORD);
});
