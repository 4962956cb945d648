// The two places a scenario runs in.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { createFar } from "./far.js";
import * as scenarios from "./scenarios.js";
import { createWorld } from "./world.js";

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

async function inNode(name, { gateway, bus, topic }) {
  const world = createWorld({
    Phoenix: require("phoenix"),
    WebSocket,
    topic,
    socketUrl: gateway.socketUrl,
    far: createFar(gateway, bus),
  });
  try {
    return await scenarios[name](world);
  } finally {
    world.close();
  }
}

/** A page of the gateway's own host, as its rule about origins asks, with the client of npm in it. */
async function inChromium(name, { gateway, bus, topic, page }) {
  const files = {
    "page.html": ["text/html", "<!doctype html><title>conformance</title>"],
    "phoenix.mjs": [
      "text/javascript",
      await readFile(join(dirname(require.resolve("phoenix")), "phoenix.mjs"), "utf8"),
    ],
    "world.js": ["text/javascript", await readFile(join(here, "world.js"), "utf8")],
    "scenarios.js": ["text/javascript", await readFile(join(here, "scenarios.js"), "utf8")],
  };
  await page.route(`${gateway.url}/conformance/*`, (route) => {
    const file = files[new URL(route.request().url()).pathname.split("/").pop()];
    return file
      ? route.fulfill({ contentType: file[0], body: file[1] })
      : route.fulfill({ status: 404 });
  });
  const far = createFar(gateway, bus);
  for (const [word, call] of Object.entries(far)) await page.exposeFunction(`far_${word}`, call);
  await page.goto(`${gateway.url}/conformance/page.html`);
  return page.evaluate(
    async ({ name, topic, socketUrl, words }) => {
      const [Phoenix, { createWorld }, scenarios] = await Promise.all([
        import("/conformance/phoenix.mjs"),
        import("/conformance/world.js"),
        import("/conformance/scenarios.js"),
      ]);
      const far = Object.fromEntries(words.map((word) => [word, window[`far_${word}`]]));
      const world = createWorld({ Phoenix, WebSocket, topic, socketUrl, far });
      try {
        return await scenarios[name](world);
      } finally {
        world.close();
      }
    },
    { name, topic, socketUrl: gateway.socketUrl, words: Object.keys(far) },
  );
}

/** Where the Phoenix client runs: for each place the fixture that runs a scenario there by name. */
export const places = {
  Node: async ({ gateway, bus, topic }, use) => {
    await use((name) => inNode(name, { gateway, bus, topic }));
  },
  Chromium: async ({ gateway, bus, topic, page }, use) => {
    await use((name) => inChromium(name, { gateway, bus, topic, page }));
  },
};
