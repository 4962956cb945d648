// What a scenario asks of the test's own process, wherever the scenario itself runs. Arguments and
// results are plain data, for they may cross into a page.

/**
 * @param {import("../harness/gateway.js").Gateway} gateway
 * @param {import("../harness/bus.js").Bus} bus
 */
export function createFar(gateway, bus) {
  const plain = (body) => ({ text: body.toString("utf8"), bytes: [...body] });
  return {
    token: (channel, id) => gateway.token(channel, id),
    publish: (topic, event, body) => bus.publish(topic, event, body),
    publishBytes: (topic, event, bytes) => bus.publish(topic, event, Buffer.from(bytes)),
    next: async (topic, event) => plain(await bus.next(topic, event)),
    /** The events that clients sent on a topic, but for those that tell who comes and goes. */
    heard: async (topic) =>
      bus.heard
        .filter(({ name }) => name.startsWith(`from:${topic}:`))
        .map(({ name, body }) => ({ event: name.split(":").pop(), ...plain(body) }))
        .filter(({ event }) => !event.startsWith("phx_")),
    kill: () => gateway.kill(),
    begin: async () => {
      await gateway.begin();
      await bus.ready();
    },
  };
}
