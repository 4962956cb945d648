// The same channel without a WebSocket (A17): chosen outright, and fallen back to behind a proxy that
// lets no upgrade through.
import { expect } from "../test.js";
import { createProxy } from "../proxy.js";
import { BYTES, OK, PAYLOAD, member } from "./steps.js";

/** Joins, pushes, receives and leaves over whatever transport `open` asks for. */
async function roundTrip(world, open) {
  const { bus, topic } = world;
  const { driver, join } = await member(world, "alice", { open });
  expect(join).toMatchObject(OK);
  expect(await driver.do("push", { topic, event: "say", payload: PAYLOAD })).toMatchObject(OK);
  expect(JSON.parse(await bus.next(topic, "say"))).toEqual(PAYLOAD);
  expect(await driver.do("bytes", { topic, event: "blob", bytes: BYTES })).toMatchObject(OK);
  expect([...(await bus.next(topic, "blob"))]).toEqual(BYTES);
  await hearsNews(world, driver);
  expect(await driver.do("leave", { topic })).toMatchObject(OK);
}

async function hearsNews({ bus, topic }, driver) {
  await bus.publish(topic, "news", JSON.stringify(PAYLOAD));
  const [{ payload }] = await driver.hears("event", { topic, event: "news" });
  expect(payload).toEqual(PAYLOAD);
}

export const longpoll = {
  longPoll: {
    title: "does it all over long poll (A17)",
    run: (world) => roundTrip(world, { longpoll: true }),
  },

  longPollToken: {
    title: "shows its token over long poll (A1, A17)",
    async run(world) {
      const { bus, gateway, topic } = world;
      const driver = world.driver();
      const authToken = await gateway.token(topic, "carol");
      await driver.do("open", { url: world.url, longpoll: true, authToken });
      expect(await driver.do("join", { topic })).toMatchObject(OK);
      expect(JSON.parse(await bus.next(topic, "phx_join"))).toMatchObject({ id: "carol" });
    },
  },

  longPollRestart: {
    title: "comes back over long poll after the gateway was killed and started again (A17)",
    own: true,
    async run(world) {
      const { bus, gateway, topic } = world;
      const { driver } = await member(world, "alice", { open: { longpoll: true } });
      await driver.hears("joined", { topic });
      await gateway.kill();
      await gateway.begin();
      await bus.ready();
      await driver.hears("joined", { topic, times: 2, limit: 30_000 });
      await hearsNews(world, driver);
    },
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
