// The admin pages, and what tests prepare behind them with the same API.
import { ADMIN_PASSWORD } from "./gateway.js";
import { expect } from "./page.js";

const HERE = { "x-tidegate-request": "1" };
/** Of the users that tests make. */
export const USER_PASSWORD = "high tide at noon";

/** Signs in with the form; without a name as the built-in administrator. */
export async function signIn(page, { name = "", password = ADMIN_PASSWORD } = {}) {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in without the form: the page's own cookies have the session then. */
export async function signedIn(page, gateway, user = {}) {
  const { name, password = ADMIN_PASSWORD } = user;
  const data = name ? { name, password } : { password };
  const answer = await page.request.post(`${gateway.url}/api/v1/session`, { headers: HERE, data });
  expect(answer.ok(), await answer.text()).toBe(true);
}

/** Answers the question that stands over the page. */
export async function confirm(page, button) {
  await page.getByRole("dialog").getByRole("button", { name: button }).click();
}

/** The card with this title. */
export const card = (page, title) =>
  page.locator(".card").filter({ has: page.getByRole("heading", { name: title, exact: true }) });

/** The row of a table that holds this text. */
export const row = (page, text) => page.getByRole("row").filter({ hasText: text });

/** The API as an administrator uses it, with a session of its own. */
export class Admin {
  static async of(gateway) {
    const admin = new Admin(gateway);
    const answer = await fetch(`${gateway.url}/api/v1/session`, {
      method: "POST",
      headers: { ...HERE, "content-type": "application/json" },
      body: JSON.stringify({ password: ADMIN_PASSWORD }),
    });
    if (!answer.ok) throw new Error(`POST /session: ${answer.status} ${await answer.text()}`);
    admin.cookie = answer.headers.get("set-cookie").split(";")[0];
    return admin;
  }

  constructor(gateway) {
    this.gateway = gateway;
  }

  async ask(method, path, body) {
    const answer = await fetch(`${this.gateway.url}/api/v1${path}`, {
      method,
      headers: { ...HERE, cookie: this.cookie, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  /** A user with this name and role, and what it takes to sign in. */
  async user(name, role) {
    await this.ask("POST", "/auth/users", { name, role, password: USER_PASSWORD });
    return { name, password: USER_PASSWORD };
  }
}

/** What the API answers a program with this key. */
export async function statusFor(gateway, key, path = "/overview") {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${gateway.url}/api/v1${path}`, { headers });
  await answer.body?.cancel();
  return answer.status;
}

/** Fails if the secret is anywhere in the page, its address or what the browser keeps for it. */
export async function expectForgotten(page, secret) {
  expect(page.url()).not.toContain(secret);
  const kept = await page.evaluate(() => {
    const fields = [...document.querySelectorAll("input, textarea")].map(({ value }) => value);
    return [
      document.documentElement.outerHTML,
      ...fields,
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
      JSON.stringify(history.state),
    ].join("\n");
  });
  expect(kept).not.toContain(secret);
}
