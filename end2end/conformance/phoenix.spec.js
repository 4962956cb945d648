// The stock Phoenix client against the real gateway, in Node and in Chromium: one list of what must
// hold, judged in both. The rules in brackets are those of the wire contract.
import { expect, test as base } from "../harness/test.js";
import { places } from "./places.js";

const OK = { status: "ok", response: {} };

for (const [place, run] of Object.entries(places)) {
  const test = base.extend({ run });

  test.describe(`Phoenix client in ${place}`, () => {
    test("joins, and the bus hears who, but not with which token (A3, A10)", async ({ run, topic }) => {
      const seen = await run("join");
      expect(seen.join.status).toBe("ok");
      expect(seen.join.response.id).toMatch(new RegExp(`^[^:]+:${topic}:[^:]+$`));
      expect(seen.state).toBe("joined");
      const [connection] = seen.join.response.id.split(":");
      expect(seen.heard).toEqual({ id: "alice", connection });
    });

    test("is told why a join is refused (A3, A13)", async ({ run }) => {
      const error = (reason) => ({ status: "error", response: { reason } });
      expect(await run("refusedJoins")).toEqual({
        none: error("unauthorized"),
        forged: error("invalid token"),
        elsewhere: error("token is for another channel"),
        open: true,
      });
    });

    test("pushes, and the bus has the payload byte for byte (A5, A9)", async ({ run }) => {
      const seen = await run("push");
      expect(seen.answer).toEqual(OK);
      expect(seen.heard).toBe(seen.sent);
    });

    test("is refused a push to a topic it has not joined (A5)", async ({ run, topic }) => {
      const seen = await run("unjoinedPush");
      expect(seen.answer).toMatchObject({
        topic,
        event: "phx_reply",
        join_ref: null,
        payload: { status: "error", response: { reason: "unmatched topic" } },
      });
      expect(seen.reached).toBe(0);
    });

    test("receives what a plugin publishes, every member the same (A6, A8)", async ({ run }) => {
      const seen = await run("serverEvent");
      const events = [
        { event: "news", payload: { b: 1, a: [2, { c: null }] } },
        { event: "number", payload: 12 },
      ];
      expect(seen.subscribers).toBeGreaterThan(0);
      expect(seen.seen).toEqual([events, events]);
    });

    test("sees who is there, comes and goes, with their metadata (A12)", async ({ run }) => {
      const seen = await run("presence");
      expect(seen.alone).toEqual([{ id: "alice", moods: ["calm"] }]);
      expect(seen.full).toEqual([
        { id: "alice", moods: ["calm"] },
        { id: "bob", moods: ["glad", "busy"] },
      ]);
      expect(seen.less[1]).toEqual({ id: "bob", moods: ["busy"] });
      expect(seen.end).toEqual(seen.alone);
      // Her own join may be told to alice twice, by the state and by the diff; bob's may not.
      const ofBob = seen.told.filter((line) => line.startsWith("bob"));
      expect(ofBob).toEqual(["bob came", "bob again", "bob less", "bob left"]);
      expect(new Set(seen.metas.map(({ phx_ref }) => phx_ref)).size).toBe(3);
      for (const meta of seen.metas) expect(meta).toHaveProperty("online_at");
    });

    test("leaves, is closed by its own join_ref, and hears no more (A4, A10)", async ({ run }) => {
      const seen = await run("leave");
      expect(seen.answer.status).toBe("ok");
      expect(seen.closed).toEqual([seen.joinRef]);
      expect(seen.heard).toMatchObject({ id: "alice" });
      expect(seen.arrived).toBe(0);
      expect(seen.again.status).toBe("ok");
    });

    test("joins twice: the old join is closed, nothing comes twice (A4)", async ({ run, topic }) => {
      expect(await run("duplicateJoin")).toEqual({
        closes: [["1", "1", topic, "phx_close", {}]],
        replyFirst: true,
        deliveries: 1,
        staleAnswered: false,
        staleReached: false,
      });
    });

    test("replaces one channel object by another (A4)", async ({ run }) => {
      expect(await run("secondChannelObject")).toEqual({ first: 0, second: 1, state: "joined" });
    });

    test("pushes and receives bytes (A8, A9)", async ({ run }) => {
      const seen = await run("binary");
      expect(seen.answer).toEqual(OK);
      expect(seen.heard).toEqual(seen.sent);
      expect(seen.isBuffer).toBe(true);
      expect(seen.received).toEqual(seen.sent);
    });

    test("shows its token as a subprotocol (A1)", async ({ run }) => {
      const seen = await run("authToken");
      expect(seen.join.status).toBe("ok");
      expect(seen.keys).toEqual(["carol"]);
      expect(seen.protocol).toBe("phoenix");
    });

    test("shows its token in the address (A1)", async ({ run }) => {
      expect((await run("userToken")).join.status).toBe("ok");
    });

    test("has its heartbeat answered (A14)", async ({ run }) => {
      const { reply } = await run("heartbeat");
      expect(reply).toMatchObject({ topic: "phoenix", event: "phx_reply", payload: OK });
    });

    test.describe("when the gateway is killed and started again", () => {
      test.use({ own: true });

      test("comes back, joins again and goes on", async ({ run }) => {
        const seen = await run("reconnect");
        expect(seen.join.status).toBe("ok");
        expect(seen.answer).toEqual(OK);
        expect(seen.lost).toBe("errored");
        expect(seen.later).toEqual(OK);
        expect(seen.deliveries).toBe(1);
      });
    });
  });
}
