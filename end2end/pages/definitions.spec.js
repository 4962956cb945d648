// `/admin`: channels for roles, a push rate of a channel's own, tokens that carry roles, and whose
// tokens are taken beside the gateway's.
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { Admin, card, row, signedIn } from "../harness/admin.js";
import { channel, clientOn, join, send } from "../harness/client-page.js";
import { Gateway } from "../harness/gateway.js";
import { joinWith } from "../harness/member.js";
import { expect, test } from "../harness/page.js";

// A channel whose last member has been removed is no more; one answer is made to fail on purpose.
test.use({ expected: /status of 404 .*\/api\/v1\/channels\/|status of 500 .*\/definitions/ });

const BY_ROLE = { label: "Members with one of these roles" };
const notice = (page, text) => page.getByRole("alert").filter({ hasText: text });

/** The definition of a topic, as the API has it. */
async function defined(admin, topic) {
  const all = await admin.ask("GET", "/definitions");
  return all.find(({ pattern }) => pattern === topic);
}

/** What stands in the fields of a definition. */
async function expectFields(page, values) {
  for (const [label, value] of Object.entries(values)) {
    await expect(page.getByLabel(label, { exact: true })).toHaveValue(value);
  }
}

test("a channel for a role: who lacks it goes and is told, a token with it joins", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  const admin = await Admin.of(gateway);
  await clientOn(other, open, topic, "bob");
  await signedIn(page, gateway);
  await open(page, "/admin/definitions");
  const form = page.getByRole("form", { name: "Add or change a definition" });
  const save = form.getByRole("button", { name: "Save" });
  await form.getByLabel("Pattern").fill(topic);
  await expect(form.getByLabel("Roles that may join")).toHaveCount(0);
  await form.getByLabel("Who may join").selectOption(BY_ROLE);
  await form.getByLabel("Who may push").selectOption(BY_ROLE);
  await form.getByLabel("Pushes, at most").fill("0");
  await save.click();
  // Each fault stands below its field, and nothing is sent.
  await expect(form.getByText("Name at least one role.")).toHaveCount(2);
  await expect(form.getByText(/^A whole number from 1 to 100.000\.$/)).toBeVisible();
  await expect(form.getByText(/^A whole number from 1 to 3.600\.$/)).toBeVisible();
  await form.getByLabel("Roles that may join").fill(`editor ${"x".repeat(65)}`);
  await expect(form.getByText("will not do: a role has 1 to 64 bytes")).toBeVisible();
  await form.getByLabel("Roles that may join").fill(Array.from({ length: 17 }, (_, n) => n).join());
  await expect(form.getByText("At most 16 roles.")).toBeVisible();
  await save.click();
  expect(await defined(admin, topic)).toBeUndefined();

  await form.getByLabel("Roles that may join").fill("editor night");
  await form.getByLabel("Roles that may push").fill("editor");
  await form.getByLabel("Pushes, at most").fill("2");
  await form.getByLabel("In seconds").fill("60");
  await save.click();
  await expect(page.locator(".toast")).toContainText("1 member without the right to stay");
  await expect(notice(other, "role needed")).toContainText(
    "The channel is for members with a role that the token does not carry",
  );
  await expect(row(page, topic)).toContainText("editor, night");
  await expect(row(page, topic)).toContainText("2 in 60 s");

  await open(page, "/admin/tokens");
  const issue = page.getByRole("form", { name: "Issue a token" });
  await issue.getByLabel("Channels").fill(topic);
  await issue.getByLabel("For whom").fill("carol");
  await issue.getByLabel("Roles").fill("editor, guest");
  await issue.getByRole("button", { name: "Issue" }).click();
  const field = page.getByLabel("The new token");
  await expect(field).toHaveValue(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  const token = await field.inputValue();
  await page.getByLabel("Search").fill(topic);
  await expect(row(card(page, "Tokens"), "carol")).toContainText("as editor, guest");
  const look = page.getByRole("form", { name: "Look into a token" });
  await look.getByLabel("Token").fill(token);
  await look.getByRole("button", { name: "Look" }).click();
  await expect(look.locator("dl > div", { hasText: "Roles" })).toContainText("editor, guest");
  expect(await joinWith(gateway, topic, token)).toBe("ok");
  expect(await joinWith(gateway, topic, await gateway.token(topic, "bob"))).toBe("role needed");
});

test("every value of a definition is there again after a reload, on both pages", async ({
  page,
  open,
  gateway,
  topic,
}) => {
  const admin = await Admin.of(gateway);
  const wanted = {
    pattern: topic,
    join: "roles",
    join_roles: ["editor", "night"],
    push: "roles",
    push_roles: ["editor"],
    push_rate: { pushes: 30, seconds: 60 },
    presence: "count",
    relay: true,
    stamp: true,
    overflow: "latest-only",
  };
  await admin.ask("PUT", "/definitions", wanted);
  const shown = {
    "Who may join": "roles",
    "Roles that may join": "editor, night",
    "Who may push": "roles",
    "Roles that may push": "editor",
    "Pushes, at most": "30",
    "In seconds": "60",
    "What members see of each other": "count",
    "A member that reads too slowly": "latest-only",
  };
  await signedIn(page, gateway);
  await open(page, `/admin/channels/${topic}`);
  await expectFields(page, shown);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".toast")).toBeVisible();
  expect(await defined(admin, topic)).toEqual(wanted);

  await page.getByLabel("Pushes, at most").fill("5");
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(async () => (await defined(admin, topic)).push_rate.pushes).toBe(5);
  await open(page, "/admin/definitions");
  await page.getByRole("button", { name: `Change ${topic}` }).click();
  await expectFields(page, { ...shown, Pattern: topic, "Pushes, at most": "5" });
  // Without a role and without a rate nothing of them is left.
  await page.getByLabel("Who may join").selectOption("public");
  await page.getByLabel("Who may push").selectOption("member");
  await page.getByLabel("Pushes, at most").fill("");
  await page.getByLabel("In seconds").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row(page, topic)).toContainText("anybody");
  const { join_roles, push_roles, push_rate, ...rest } = wanted;
  expect(await defined(admin, topic)).toEqual({ ...rest, join: "public", push: "member" });
});

test("nothing can be chosen before the definition is there", async ({
  page,
  open,
  gateway,
  topic,
}) => {
  const admin = await Admin.of(gateway);
  await admin.ask("PUT", "/definitions", { pattern: topic, join: "admin" });
  await signedIn(page, gateway);
  const rendered = await page.request.get(`${gateway.url}/admin/channels/${topic}`);
  expect(await rendered.text()).toMatch(/<form[^>]*aria-label="Definition"[^>]*><fieldset[^>]*disabled/);

  let answer;
  const asked = new Promise((resolve) => {
    answer = resolve;
  });
  await page.route("**/api/v1/definitions", async (route) => {
    await asked;
    await route.fulfill({ status: 500, body: "" });
  });
  await open(page, `/admin/channels/${topic}`);
  const form = page.getByRole("form", { name: "Definition" });
  await expect(form.getByLabel("Who may join")).toBeDisabled();
  await expect(form.getByRole("button", { name: "Save" })).toBeDisabled();
  answer();
  await expect(notice(page, "The definition could not be had")).toBeVisible();
  await expect(form.getByLabel("Who may join")).toBeDisabled();
  await page.unroute("**/api/v1/definitions");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(form.getByLabel("Who may join")).toBeEnabled();
  await expect(form.getByLabel("Who may join")).toHaveValue("admin");
});

test("a viewer joins a channel for viewers, and pushes as often as it lets", async ({
  page,
  other,
  open,
  gateway,
  topic,
}) => {
  const admin = await Admin.of(gateway);
  await admin.ask("PUT", "/definitions", {
    pattern: topic,
    join: "roles",
    join_roles: ["viewer"],
    push_rate: { pushes: 2, seconds: 60 },
  });
  // Without a session the page's token carries no role.
  await open(other, "/client?name=bob");
  await join(other, topic);
  await expect(notice(other, "The join was refused: role needed")).toBeVisible();

  await signedIn(page, gateway, await admin.user(topic, "viewer"));
  await open(page, "/client?name=olga");
  await join(page, topic);
  await expect(channel(page, topic)).toContainText("joined");
  const answers = page.locator(".answers .answer");
  for (const count of [1, 2, 3]) {
    await send(page, "say");
    await expect(answers).toHaveCount(count);
  }
  await expect(answers.filter({ hasText: "ok" })).toHaveCount(2);
  await expect(answers.filter({ hasText: "too many pushes" })).toHaveCount(1);
});

test("a role of the gateway's users is given by who has it", async ({
  page,
  open,
  gateway,
  topic,
}) => {
  await signedIn(page, gateway, await (await Admin.of(gateway)).user(topic, "operator"));
  await open(page, "/admin/tokens");
  const issue = page.getByRole("form", { name: "Issue a token" });
  await issue.getByLabel("Channels").fill(topic);
  await issue.getByLabel("Roles").fill("viewer, admin");
  await issue.getByRole("button", { name: "Issue" }).click();
  await expect(issue.getByText("admin is a role of the gateway's users")).toBeVisible();
  await issue.getByLabel("Roles").fill("viewer, operator");
  await issue.getByRole("button", { name: "Issue" }).click();
  await expect(page.getByLabel("The new token")).toBeVisible();
});

test("no outside issuer is set: the page says how to add one", async ({ page, open, gateway }) => {
  await signedIn(page, gateway);
  await open(page, "/admin/keys");
  await expect(card(page, "Outside issuers")).toContainText("No outside issuer is set");
  await expect(card(page, "Outside issuers")).toContainText("[[issuers]]");
});

/** A gateway with two outside issuers: one with keys, one whose keys cannot be read. */
const withIssuers = test.extend({
  gateway: async ({}, use) => {
    const folder = await mkdtemp(path(tmpdir(), "tidegate-issuers-"));
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const good = { ...publicKey.export({ format: "jwk" }), kid: "spring-tide" };
    const symmetric = { kty: "oct", kid: "neap-tide", k: "c2VjcmV0" };
    await writeFile(path(folder, "keys.json"), JSON.stringify({ keys: [good, symmetric] }));
    const issuer = (name, file) => `[[issuers]]
issuer = "https://${name}.example"
audience = ["tidegate"]
jwks = "${path(folder, file)}"
channels = ["public:*"]
`;
    const config = path(folder, "tidegate.toml");
    await writeFile(config, issuer("login", "keys.json") + issuer("lost", "missing.json"));
    const gateway = await Gateway.start(["--config", config]);
    await use(gateway);
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  },
});

withIssuers("outside issuers: up or not and why, their keys, what is left out", async ({
  page,
  open,
  gateway,
}) => {
  await signedIn(page, gateway);
  await open(page, "/admin/keys");
  const issuers = card(page, "Outside issuers");
  const login = row(issuers, "https://login.example");
  await expect(login).toContainText("up");
  await expect(login).toContainText("spring-tide ES256");
  await expect(login).toContainText("it is a symmetric key");
  const lost = row(issuers, "https://lost.example");
  await expect(lost).toContainText("No token of this issuer is taken: ");
  await expect(lost).toContainText("never");
});
