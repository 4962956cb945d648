// Payloads that are no JSON, and the ways a token may come with the socket.
import { expect } from "../test.js";
import { BYTES, OK, member } from "./steps.js";

export const wire = {
  bytesUp: {
    title: "pushes bytes (A9)",
    async run(world) {
      const { driver } = await member(world, "alice");
      const answer = await driver.do("bytes", { topic: world.topic, event: "blob", bytes: BYTES });
      expect(answer).toMatchObject(OK);
      expect([...(await world.bus.next(world.topic, "blob"))]).toEqual(BYTES);
    },
  },

  bytesDown: {
    title: "receives bytes (A8)",
    async run(world) {
      const { driver } = await member(world, "alice");
      await world.bus.publish(world.topic, "blob", Buffer.from(BYTES));
      const [{ bytes }] = await driver.hears("event", { topic: world.topic, event: "blob", limit: world.limit });
      expect(bytes).toEqual(BYTES);
    },
  },

  address: {
    title: "shows its token in the address (A1)",
    async run(world) {
      const driver = world.driver();
      const userToken = await world.gateway.token(world.topic, "dave");
      await driver.do("open", { url: world.url, userToken });
      expect(await driver.do("join", { topic: world.topic })).toMatchObject(OK);
      expect(JSON.parse(await world.bus.next(world.topic, "phx_join"))).toMatchObject({ id: "dave" });
    },
  },

  subprotocol: {
    title: "shows its token as a subprotocol (A1)",
    async run(world) {
      const driver = world.driver();
      const authToken = await world.gateway.token(world.topic, "carol");
      await driver.do("open", { url: world.url, authToken });
      expect(await driver.do("join", { topic: world.topic })).toMatchObject(OK);
      expect(JSON.parse(await world.bus.next(world.topic, "phx_join"))).toMatchObject({ id: "carol" });
    },
  },
};
