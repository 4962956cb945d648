// The bus as a plugin sees it: a stock Redis client and nothing else.
import { createClient, RESP_TYPES } from "redis";
import { until } from "./until.js";

export class Bus {
  /** @param {string} url */
  static async open(url) {
    const bus = new Bus();
    // A gateway that is killed in a test takes the connections with it; they come back by themselves.
    const client = () =>
      createClient({ url, socket: { reconnectStrategy: () => 50 } }).on("error", () => {});
    bus.publisher = await client().connect();
    bus.listener = await client().connect();
    /** @type {{ name: string, body: Buffer }[]} everything clients sent, oldest first */
    bus.heard = [];
    await bus.listener
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      .pSubscribe("from:*", (body, name) => bus.heard.push({ name: String(name), body }), true);
    return bus;
  }

  /**
   * Publishes an event for the members of a topic.
   * @param {string | Buffer} body as it goes over the wire
   * @returns {Promise<number>} how many subscribers the bus says took it
   */
  publish(topic, event, body) {
    return this.publisher.publish(`to:${topic}:${event}`, body);
  }

  /** The body of the first event that clients sent under this name; waits for it. */
  async next(topic, event) {
    const name = `from:${topic}:${event}`;
    const message = await until(`${name} on the bus`, () =>
      this.heard.find((heard) => heard.name === name),
    );
    return message.body;
  }

  /** Waits until both connections are back after the gateway was started again. */
  async ready() {
    await until("the Redis clients to be back", () => this.publisher.isReady && this.listener.isReady);
  }

  async close() {
    this.publisher.destroy();
    this.listener.destroy();
  }
}
