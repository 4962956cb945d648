// What every client is put through, in words that all drivers understand. A scenario throws where
// something is not as it must be; the rules in brackets are those of the wire contract.
import { isDeepStrictEqual } from "node:util";
import { expect } from "../test.js";
import { OK, PAYLOAD, counted, inAddress, inJoin, member, publish, sees } from "./steps.js";

/** A member who shows that it is there, as Supabase's clients do by a call of its own. */
async function present(world, id, presence) {
  const { driver } = await member(world, id, { presence });
  if (world.client.supabase) await driver.do("track", { topic: world.topic, payload: presence ?? {} });
  return { driver };
}

export const contract = {
  join: {
    title: "joins, and the bus hears who (A3, A10)",
    async run(world) {
      const { join } = await member(world, "alice");
      expect(join).toMatchObject(OK);
      const heard = JSON.parse(await world.bus.next(world.topic, "phx_join"));
      expect(heard).toMatchObject({ id: "alice" });
    },
  },

  refused: {
    title: "is told why a join is refused (A3, A13)",
    async run(world) {
      const { client, topic } = world;
      const refused = async (token) => {
        const driver = world.driver();
        await driver.do("open", { url: world.url, ...inAddress(client, token) });
        const { status, response } = await driver.do("join", {
          topic,
          limit: world.limit,
          ...inJoin(client, token),
        });
        expect(status).toBe("error");
        return JSON.stringify(response);
      };
      expect(await refused(undefined)).toContain("unauthorized");
      expect(await refused("eyJhbGciOiJub25lIn0.e30.")).toContain("invalid token");
      expect(await refused(await world.gateway.token(`${topic}-other`, "alice"))).toContain(
        "token is for another channel",
      );
    },
  },

  push: {
    title: "pushes, is answered, and the bus has the payload (A5, A9)",
    async run(world) {
      const { driver } = await member(world, "alice");
      const answer = await driver.do("push", { topic: world.topic, event: "say", payload: PAYLOAD });
      expect(answer).toMatchObject(OK);
      expect(JSON.parse(await world.bus.next(world.topic, "say"))).toMatchObject(PAYLOAD);
    },
  },

  event: {
    title: "receives what a plugin publishes, once (A6, A8)",
    async run(world) {
      const { driver } = await member(world, "alice");
      await publish(world, world.topic, "news", PAYLOAD);
      await publish(world, world.topic, "marker", {});
      await driver.hears("event", { topic: world.topic, event: "marker", limit: world.limit });
      const news = driver.heard("event", world.topic, "news");
      expect(news.map(({ payload }) => payload)).toEqual([PAYLOAD]);
    },
  },

  anyJson: {
    title: "receives payloads that are no objects (A8)",
    async run(world) {
      const { topic, limit } = world;
      const { driver } = await member(world, "alice");
      const payloads = [[1, 2], 12, "text", false, { status: "ok", response: {} }, null];
      for (const payload of payloads) await publish(world, topic, "news", payload);
      const news = await driver.hears("event", { topic, event: "news", times: payloads.length, limit });
      expect(news.map(({ payload }) => payload)).toEqual(payloads);
    },
  },

  topics: {
    title: "keeps two topics on one socket apart",
    async run(world) {
      const { client, gateway } = world;
      const [one, two] = [`${world.topic}:one`, `${world.topic}:two`];
      const token = await gateway.token(`${world.topic}:*`, "alice");
      const driver = world.driver();
      await driver.do("open", { url: world.url, ...inAddress(client, token) });
      for (const topic of [one, two]) {
        const join = await driver.do("join", { topic, ...inJoin(client, token) });
        expect(join).toMatchObject(OK);
      }
      await publish(world, one, "news", { n: 1 });
      await publish(world, two, "news", { n: 2 });
      for (const topic of [one, two]) {
        await driver.hears("event", { topic, event: "news", limit: world.limit });
      }
      const news = driver.heard("event", undefined, "news");
      expect(news.map(({ topic, payload }) => [topic, payload.n])).toEqual([
        [one, 1],
        [two, 2],
      ]);
    },
  },

  presence: {
    title: "sees who is there, comes and goes (A12)",
    async run(world) {
      const { client, topic } = world;
      const both = (all) =>
        isDeepStrictEqual(counted(all), { alice: 1, bob: 1 }) &&
        (client.noMetadata || all.bob[0].mood === "glad");
      const alone = (all) => isDeepStrictEqual(counted(all), { alice: 1 });
      const alice = await present(world, "alice");
      await sees(alice.driver, topic, alone);
      const bob = await present(world, "bob", { mood: "glad" });
      await sees(alice.driver, topic, both);
      await sees(bob.driver, topic, both);
      await bob.driver.close();
      await sees(alice.driver, topic, alone);
    },
  },

  leave: {
    title: "leaves, is answered, and hears no more (A4, A10)",
    async run(world) {
      const { bus, client, gateway, topic } = world;
      const stays = await member(world, "bob");
      const { driver } = await member(world, "alice");
      expect(await driver.do("leave", { topic })).toMatchObject(OK);
      expect(JSON.parse(await bus.next(topic, "phx_leave"))).toMatchObject({ id: "alice" });
      if (client.limits.event) return;

      await publish(world, topic, "after", {});
      await stays.driver.hears("event", { topic, event: "after" });
      // What had been sent to her before this answer would have arrived before it.
      const token = await gateway.token(topic, "alice");
      expect(await driver.do("join", { topic, ...inJoin(client, token) })).toMatchObject(OK);
      expect(driver.heard("event", topic, "after")).toEqual([]);
    },
  },

  heartbeat: {
    title: "has its heartbeat answered (A14)",
    async run(world) {
      const { driver } = await member(world, "alice", { open: { heartbeat: 50 } });
      await driver.hears("heartbeat");
    },
  },

  restart: {
    title: "comes back after the gateway was killed and started again",
    own: true,
    async run(world) {
      const { bus, client, gateway, topic } = world;
      const { driver } = await member(world, "alice");
      await driver.hears("joined", { topic });
      await gateway.kill();
      await gateway.begin();
      await bus.ready();
      await driver.hears("joined", { topic, times: 2, limit: 30_000 });
      if (!client.limits.event) {
        await publish(world, topic, "after", PAYLOAD);
        await driver.hears("event", { topic, event: "after" });
      }
      if (!client.limits.push) {
        const answer = await driver.do("push", { topic, event: "later", payload: PAYLOAD });
        expect(answer).toMatchObject(OK);
        expect(JSON.parse(await bus.next(topic, "later"))).toMatchObject(PAYLOAD);
      }
    },
  },
};
