// G8: a browser that shows no token is the same client when it comes back.
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { Gateway } from "../harness/gateway.js";

const LOBBY = '[[channels]]\npattern = "lobby"\njoin = "public"\n';

/** Joins the lobby as any page would, and gives who is there. */
const joinLobby = (page) =>
  page.evaluate(
    () =>
      new Promise((done, failed) => {
        const socket = new WebSocket(`ws://${location.host}/websocket?vsn=2.0.0`);
        socket.onopen = () =>
          socket.send(JSON.stringify(["1", "1", "lobby", "phx_join", {}]));
        socket.onerror = () => failed(new Error("the socket was refused"));
        socket.onmessage = ({ data }) => {
          const [, , , event, payload] = JSON.parse(data);
          if (event === "presence_state") done(Object.keys(payload));
        };
      }),
  );

test("a page without a token is the same client after a reload, and no script sees why", async ({
  browser,
}) => {
  const config = join(tmpdir(), `tidegate-lobby-${process.pid}.toml`);
  await writeFile(config, LOBBY);
  const gateway = await Gateway.start(["--config", config]);
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${gateway.url}/healthz`);
    const [client] = await joinLobby(page);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: "tidegate_client", httpOnly: true, sameSite: "Strict" });
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await page.reload();
    expect(await joinLobby(page)).toEqual([client]);
    await context.close();

    const other = await browser.newContext();
    const elsewhere = await other.newPage();
    await elsewhere.goto(`${gateway.url}/healthz`);
    expect(await joinLobby(elsewhere)).not.toContain(client);
    await other.close();
  } finally {
    await gateway.stop();
  }
});
