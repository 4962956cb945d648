// The same channel without a WebSocket (A17): chosen outright, and fallen back to behind a proxy that
// lets no upgrade through.
import { expect } from "../test.js";
import { createProxy } from "../proxy.js";
import { OK, PAYLOAD, member } from "./steps.js";

/** Joins, pushes, receives and leaves over whatever transport `open` asks for. */
async function roundTrip(world, open) {
  const { bus, topic } = world;
  const { driver, join } = await member(world, "alice", { open });
  expect(join).toMatchObject(OK);
  expect(await driver.do("push", { topic, event: "say", payload: PAYLOAD })).toMatchObject(OK);
  expect(JSON.parse(await bus.next(topic, "say"))).toEqual(PAYLOAD);
  await bus.publish(topic, "news", JSON.stringify(PAYLOAD));
  const [{ payload }] = await driver.hears("event", { topic, event: "news", limit: world.limit });
  expect(payload).toEqual(PAYLOAD);
  expect(await driver.do("leave", { topic })).toMatchObject(OK);
}

export const longpoll = {
  longpoll: {
    title: "does it all over long poll (A17)",
    run: (world) => roundTrip(world, { longpoll: true }),
  },

  fallback: {
    title: "falls back to long poll where no WebSocket gets through (A17)",
    async run(world) {
      const proxy = await createProxy(world.gateway.url);
      try {
        await roundTrip(world, { url: proxy.url, fallback: 5_000 });
        expect(proxy.refused).toBeGreaterThan(0);
      } finally {
        await proxy.close();
      }
    },
  },
};
