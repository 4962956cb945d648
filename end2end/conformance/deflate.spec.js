// permessage-deflate with a published client: agreed on, both ways, and off where it is not asked for.
import WebSocket from "ws";
import { expect, test as base } from "../harness/test.js";
import { Gateway } from "../harness/gateway.js";
import { Bus } from "../harness/bus.js";

const test = base.extend({
  gateway: async ({}, use) => {
    const gateway = await Gateway.start(["--deflate-min-bytes", "256"]);
    await use(gateway);
    await gateway.stop();
  },
  bus: async ({ gateway }, use) => {
    const bus = await Bus.open(gateway.busUrl);
    await use(bus);
    await bus.close();
  },
});

/** A raw socket with the bytes that it took from the wire. */
async function connect(gateway, perMessageDeflate) {
  const url = `${gateway.url.replace("http", "ws")}/websocket?vsn=2.0.0`;
  const socket = new WebSocket(url, { perMessageDeflate });
  const frames = [];
  const waiting = [];
  socket.on("message", (data) => {
    frames.push(JSON.parse(data));
    while (waiting.length > 0) waiting.pop()();
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const next = async (wanted) => {
    for (;;) {
      const at = frames.findIndex(wanted);
      if (at >= 0) return frames.splice(at, 1)[0];
      await new Promise((resolve) => waiting.push(resolve));
    }
  };
  return { socket, next, bytes: () => socket._socket.bytesRead };
}

async function joined(gateway, topic, perMessageDeflate) {
  const client = await connect(gateway, perMessageDeflate);
  client.socket.send(JSON.stringify(["1", "1", topic, "phx_join", {}]));
  const reply = await client.next((frame) => frame[3] === "phx_reply");
  expect(reply[4].status).toBe("ok");
  return client;
}

test("a long event is compressed once for those who can read it", async ({ gateway, bus }) => {
  const clients = [await joined(gateway, "flights", true), await joined(gateway, "flights", false)];
  expect(clients.map(({ socket }) => socket.extensions)).toEqual(["permessage-deflate", ""]);
  const before = clients.map((client) => client.bytes());
  const payload = { rows: Array.from({ length: 200 }, (_, n) => ({ icao: `39de${n}`, alt: 38000 })) };
  await bus.publish("flights", "positions", JSON.stringify(payload));
  for (const client of clients) {
    const frame = await client.next((frame) => frame[3] === "positions");
    expect(frame).toEqual([null, null, "flights", "positions", payload]);
  }
  const [small, large] = clients.map((client, n) => client.bytes() - before[n]);
  expect(small).toBeLessThan(large / 3);
  for (const { socket } of clients) socket.close();
});

test("what a client compresses is read, and a bomb is refused", async ({ gateway, bus }) => {
  const client = await joined(gateway, "flights", { threshold: 0 });
  const payload = { text: "tide ".repeat(1000) };
  client.socket.send(JSON.stringify(["1", "2", "flights", "say", payload]));
  const reply = await client.next((frame) => frame[1] === "2");
  expect(reply[4].status).toBe("ok");
  expect(JSON.parse(await bus.next("flights", "say"))).toEqual(payload);

  const closed = new Promise((resolve) => client.socket.once("close", (code) => resolve(code)));
  client.socket.send(JSON.stringify(["1", "3", "flights", "say", "0".repeat(64 << 20)]));
  expect(await closed).toBe(1009);
});

test("without the flag it is not announced", async ({}) => {
  const gateway = await Gateway.start();
  const { socket } = await connect(gateway, true);
  expect(socket.extensions).toBe("");
  socket.close();
  await gateway.stop();
});
