// The two places a scenario runs in.
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

/**
 * A page of the gateway's own host, as its rule about origins asks, with the client of npm in it. The
 * document is a real one: Chromium lets no page of unknown whereabouts talk to this machine.
 */
async function inChromium(name, { gateway, bus, topic, page }) {
  const files = {
    "phoenix.mjs": join(dirname(require.resolve("phoenix")), "phoenix.mjs"),
    "world.js": join(here, "world.js"),
    "scenarios.js": join(here, "scenarios.js"),
  };
  await page.route(`${gateway.url}/conformance/*`, (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop();
    return route.fulfill({ contentType: "text/javascript", path: files[name] });
  });
  const far = createFar(gateway, bus);
  for (const [word, call] of Object.entries(far)) await page.exposeFunction(`far_${word}`, call);
  await page.goto(`${gateway.url}/theme.js`);
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
