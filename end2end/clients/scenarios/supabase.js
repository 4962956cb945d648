// What only Supabase's clients speak: broadcasts from member to member, presence that is tracked and
// untracked, and a token that comes with the join and is renewed in place.
import { expect } from "../test.js";
import { BYTES, OK, PAYLOAD, counted, member, sees } from "./steps.js";

export const supabase = {
  broadcast: {
    title: "broadcasts to the other members, and is answered",
    async run(world) {
      const { bus, topic, limit } = world;
      const bob = await member(world, "bob");
      const alice = await member(world, "alice");
      const answer = alice.driver.do("broadcast", { topic, event: "say", payload: PAYLOAD });
      answer.catch(() => {}); // it is looked at below, if the broadcast arrives
      const [{ payload }] = await bob.driver.hears("event", { topic, event: "say", limit });
      expect(payload).toEqual(PAYLOAD);
      expect(await answer).toMatchObject(OK);
      const heard = JSON.parse(await bus.next(topic, "broadcast"));
      expect(heard).toMatchObject({ event: "say", payload: PAYLOAD });
    },
  },

  broadcastBytes: {
    title: "broadcasts bytes to the other members",
    async run(world) {
      const { topic, limit } = world;
      const bob = await member(world, "bob");
      const alice = await member(world, "alice");
      const answer = alice.driver.do("broadcast", { topic, event: "say", bytes: BYTES });
      answer.catch(() => {}); // it is looked at below, if the broadcast arrives
      const [{ bytes }] = await bob.driver.hears("event", { topic, event: "say", limit });
      expect(bytes).toEqual(BYTES);
      expect(await answer).toMatchObject(OK);
    },
  },

  track: {
    title: "tracks and untracks itself",
    async run(world) {
      const { topic, limit } = world;
      const alice = await member(world, "alice");
      const bob = await member(world, "bob");
      expect(await bob.driver.do("track", { topic, payload: { mood: "glad" } })).toMatchObject(OK);
      await sees(alice.driver, topic, (all) => all.bob?.some(({ mood }) => mood === "glad"), { limit });
      expect(await bob.driver.do("untrack", { topic })).toMatchObject(OK);
      await sees(alice.driver, topic, (all) => !counted(all).bob, { limit });
    },
  },

  accessToken: {
    title: "shows its token as access_token in the join",
    async run(world) {
      const { gateway, topic } = world;
      const driver = world.driver();
      await driver.do("open", { url: world.url });
      const join = await driver.do("join", { topic, accessToken: await gateway.token(topic, "erin") });
      expect(join).toMatchObject(OK);
      expect(JSON.parse(await world.bus.next(topic, "phx_join"))).toMatchObject({ id: "erin" });
    },
  },

  refresh: {
    title: "renews its token, and no token reaches the bus (A10)",
    async run(world) {
      const { bus, gateway, topic } = world;
      const { driver } = await member(world, "alice");
      await driver.do("refresh", { topic, accessToken: await gateway.token(topic, "alice") });
      expect(await driver.do("push", { topic, event: "say", payload: PAYLOAD })).toMatchObject(OK);
      await bus.next(topic, "say");
      const names = bus.heard.map(({ name }) => name).filter((name) => name.startsWith(`from:${topic}:`));
      expect(names, "what the bus heard").toEqual([`from:${topic}:phx_join`, `from:${topic}:say`]);
    },
  },
};
