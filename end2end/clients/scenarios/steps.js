// The steps that several scenarios take.
import { until } from "../../harness/until.js";

export const OK = { status: "ok" };
export const PAYLOAD = { z: 1, a: [true, null, "ü"], n: 1.5 };
export const BYTES = [0, 255, 10, 34, 92, 200];

/**
 * A driver whose socket is open and that has joined the topic with a token of this user.
 * @param {{ open?: object, presence?: object }} [more] what else it opens and joins with
 */
export async function member(world, id, { open = {}, presence } = {}) {
  const { client, gateway, topic, limit } = world;
  const token = await gateway.token(topic, id);
  const driver = world.driver();
  await driver.do("open", { url: world.url, ...inAddress(client, token), ...open });
  const join = await driver.do("join", { topic, key: id, limit, ...inJoin(client, token), presence });
  return { driver, join };
}

/** What `open` is told where the client's joins cannot carry a token. */
export const inAddress = (client, token) => (client.tokenInAddress && token ? { userToken: token } : {});

/** What `join` is told where they can. */
export const inJoin = (client, token) => (!client.tokenInAddress && token ? { token } : {});

/** Publishes an event as a plugin does for this client. */
export function publish({ bus, client }, topic, event, payload) {
  const [name, body] = client.wrap?.(event, payload) ?? [event, payload];
  return bus.publish(topic, name, JSON.stringify(body));
}

/** Who is there by the client's own account, and with how many distinct metas. */
export const counted = (members) =>
  Object.fromEntries(
    Object.entries(members).map(([id, metas]) => [
      id,
      new Set(metas.map(({ phx_ref, presence_ref }) => phx_ref ?? presence_ref)).size,
    ]),
  );

/**
 * Waits until what the client says of presence holds.
 * @param {(members: Record<string, object[]>) => boolean} holds
 */
export async function sees(driver, topic, holds, { limit } = {}) {
  const last = () => driver.heard("presence", topic).at(-1)?.members;
  return until("presence to be as wanted", () => last() && holds(last()), {
    limit,
    detail: () => `presence: ${JSON.stringify(last())}`,
  });
}
