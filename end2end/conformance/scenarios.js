// What the stock Phoenix client does and sees, step by step. Each scenario is given a `world` (see
// node.js and browser.js: the same one in Node and in Chromium) and returns plain data, which the
// spec judges. Nothing here may use anything but the world, for half the time it runs in a page.

/** Resolves with how a push, a join or a leave was answered. */
function answered(push) {
  return new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) {
      push.receive(status, (response) => resolve({ status, response }));
    }
  });
}

/** Waits for a condition; fails after ten seconds, naming it. */
async function until(what, condition) {
  for (const end = Date.now() + 10_000; ; ) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ten seconds in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Joins a topic and keeps every event that arrives on it. */
async function joined(world, socket, topic, params = {}) {
  const channel = socket.channel(topic, params);
  const events = [];
  channel.onMessage = (event, payload) => {
    if (!event.startsWith("chan_reply_")) events.push({ event, payload });
    return payload;
  };
  const join = await answered(channel.join());
  return { channel, events, join };
}

async function member(world, socket, topic, id, more = {}) {
  return joined(world, socket, topic, { token: await world.token(topic, id), ...more });
}

const named = (events, name) => events.filter(({ event }) => event === name);

export async function join(world) {
  const { join, channel } = await member(world, world.socket(), world.topic, "alice");
  const heard = await world.next(world.topic, "phx_join");
  return { join, state: channel.state, heard: JSON.parse(heard.text) };
}

export async function refusedJoins(world) {
  const socket = world.socket();
  const elsewhere = await world.token(`${world.topic}-other`, "alice");
  const refused = async (params) => {
    const { channel, join } = await joined(world, socket, world.topic, params);
    channel.leave();
    return join;
  };
  return {
    none: await refused({}),
    forged: await refused({ token: "eyJhbGciOiJub25lIn0.e30." }),
    elsewhere: await refused({ token: elsewhere }),
    open: socket.isConnected(),
  };
}

export async function push(world) {
  const { channel } = await member(world, world.socket(), world.topic, "alice");
  const payload = { z: 1, a: [true, null, "ü"], message: "hi", extra: 1.5 };
  const answer = await answered(channel.push("say", payload));
  const heard = await world.next(world.topic, "say");
  return { answer, sent: JSON.stringify(payload), heard: heard.text };
}

export async function unjoinedPush(world) {
  const socket = world.socket();
  const { channel } = await member(world, socket, `${world.topic}-joined`, "alice");
  const ref = socket.makeRef();
  const reply = new Promise((resolve) => {
    socket.onMessage((message) => message.ref === ref && resolve(message));
  });
  socket.push({ topic: world.topic, event: "say", payload: { n: 1 }, ref, join_ref: null });
  const answer = await reply;
  // Had the first one reached the bus, it would be there before this one.
  await answered(channel.push("marker", {}));
  await world.next(`${world.topic}-joined`, "marker");
  return { answer, reached: (await world.heard(world.topic)).length };
}

export async function serverEvent(world) {
  const first = await member(world, world.socket(), world.topic, "alice");
  const second = await member(world, world.socket(), world.topic, "bob");
  const subscribers = await world.publish(world.topic, "news", '{"b":1,"a":[2,{"c":null}]}');
  await world.publish(world.topic, "number", "12");
  for (const { events } of [first, second]) {
    await until("both events", () => named(events, "number").length > 0);
  }
  return {
    subscribers,
    seen: [first, second].map(({ events }) =>
      events.filter(({ event }) => event === "news" || event === "number"),
    ),
  };
}

export async function presence(world) {
  const show = (presence) =>
    presence
      .list((id, { metas }) => ({ id, moods: metas.map(({ mood }) => mood ?? null) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));

  const watch = world.socket().channel(world.topic, {
    token: await world.token(world.topic, "alice"),
    presence: { mood: "calm" },
  });
  const members = new world.Phoenix.Presence(watch);
  const told = [];
  members.onJoin((id, before) => told.push(`${id} ${before ? "again" : "came"}`));
  members.onLeave((id, after) => told.push(`${id} ${after.metas.length ? "less" : "left"}`));
  await answered(watch.join());
  await until("alice", () => show(members).length === 1);
  const alone = show(members);

  // Bob in two windows: one key, two metas.
  const window1 = await member(world, world.socket(), world.topic, "bob", {
    presence: { mood: "glad" },
  });
  await until("bob", () => show(members).length === 2);
  const socket2 = world.socket();
  await member(world, socket2, world.topic, "bob", { presence: { mood: "busy" } });
  await until("bob's second window", () => show(members)[1]?.moods.length === 2);
  const full = show(members);
  const metas = members.list((id, { metas }) => metas).flat();

  await answered(window1.channel.leave());
  await until("bob's first window to go", () => show(members)[1]?.moods.length === 1);
  const less = show(members);
  await world.disconnect(socket2);
  await until("bob to go with his connection", () => show(members).length === 1);
  return { alone, full, less, end: show(members), told, metas };
}

export async function leave(world) {
  const stays = await member(world, world.socket(), world.topic, "bob");
  const socket = world.socket();
  const goes = await member(world, socket, world.topic, "alice");
  const closed = [];
  socket.onMessage(({ event, join_ref, topic }) => {
    if (event === "phx_close" && topic === world.topic) closed.push(join_ref);
  });
  const joinRef = goes.channel.joinRef();
  const answer = await answered(goes.channel.leave());
  await until("the close", () => closed.length > 0);
  const heard = JSON.parse((await world.next(world.topic, "phx_leave")).text);

  const arrived = [];
  socket.onMessage(({ event }) => event === "after" && arrived.push(event));
  await world.publish(world.topic, "after", "{}");
  await until("the one who stayed", () => named(stays.events, "after").length === 1);
  await new Promise((resolve) => socket.ping(resolve));
  // A leave of what is not joined is answered too.
  const again = await world.raw(socket, world.topic, "phx_leave");
  return { answer, closed, joinRef, heard, arrived: arrived.length, again: again.payload };
}

export async function duplicateJoin(world) {
  const token = await world.token(world.topic, "alice");
  const frames = [];
  const socket = new world.WebSocket(`${world.socketUrl}/websocket?vsn=2.0.0`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the socket did not open"));
  });
  socket.onmessage = ({ data }) => frames.push(JSON.parse(data));
  const send = (...frame) => socket.send(JSON.stringify(frame));
  const position = (test) => frames.findIndex(test);

  send("1", "1", world.topic, "phx_join", { token });
  await until("the first reply", () => position(([, ref]) => ref === "1") >= 0);
  send("2", "2", world.topic, "phx_join", { token });
  const isClose = ([, , , event]) => event === "phx_close";
  await until("the close of the first join", () => position(isClose) >= 0);
  await world.publish(world.topic, "once", "{}");
  await world.publish(world.topic, "marker", "{}");
  await until("the marker", () => position(([, , , event]) => event === "marker") >= 0);
  // What still names the old join is ignored: only the second push is answered.
  send("1", "3", world.topic, "stale", {});
  send("2", "4", world.topic, "fresh", {});
  await until("the answer to the fresh push", () => position(([, ref]) => ref === "4") >= 0);
  socket.close();
  return {
    closes: frames.filter(isClose),
    replyFirst:
      position(([, ref, , event]) => ref === "2" && event === "phx_reply") < position(isClose),
    deliveries: frames.filter(([, , , event]) => event === "once").length,
    staleAnswered: position(([, ref]) => ref === "3") >= 0,
    staleReached: (await world.heard(world.topic)).some(({ event }) => event === "stale"),
  };
}

export async function secondChannelObject(world) {
  const socket = world.socket();
  const first = await member(world, socket, world.topic, "alice");
  const second = await member(world, socket, world.topic, "alice");
  await until("the first one to be closed", () => first.channel.state === "closed");
  await world.publish(world.topic, "once", "{}");
  await world.publish(world.topic, "marker", "{}");
  await until("the marker", () => named(second.events, "marker").length > 0);
  return {
    first: named(first.events, "once").length,
    second: named(second.events, "once").length,
    state: second.channel.state,
  };
}

export async function binary(world) {
  const { channel, events } = await member(world, world.socket(), world.topic, "alice");
  const bytes = Uint8Array.from([0, 255, 10, 34, 92, 200]);
  const answer = await answered(channel.push("blob", bytes.buffer));
  const heard = await world.next(world.topic, "blob");
  await world.publishBytes(world.topic, "blob", [...bytes]);
  const [{ payload }] = await until("the broadcast", () => {
    const found = named(events, "blob");
    return found.length > 0 && found;
  });
  return {
    answer,
    sent: [...bytes],
    heard: heard.bytes,
    isBuffer: payload instanceof ArrayBuffer,
    received: [...new Uint8Array(payload)],
  };
}

export async function authToken(world) {
  const socket = world.socket({ authToken: await world.token(world.topic, "carol") });
  const { join, events } = await joined(world, socket, world.topic);
  await until("presence", () => named(events, "presence_state").length > 0);
  const keys = Object.keys(named(events, "presence_state")[0].payload);
  return { join, keys, protocol: socket.conn.protocol };
}

export async function userToken(world) {
  const params = { userToken: await world.token(world.topic, "dave") };
  const { join } = await joined(world, world.socket({ params }), world.topic);
  return { join };
}

export async function heartbeat(world) {
  const socket = world.socket();
  await until("the socket to open", () => socket.isConnected());
  const ref = socket.makeRef();
  const reply = new Promise((resolve) => {
    socket.onMessage((message) => message.ref === ref && resolve(message));
  });
  socket.push({ topic: "phoenix", event: "heartbeat", payload: {}, ref, join_ref: null });
  return { reply: await reply };
}

export async function reconnect(world) {
  const socket = world.socket();
  const closes = [];
  socket.onClose(({ code }) => closes.push(code));
  const { channel, events, join } = await member(world, socket, world.topic, "alice");
  const answer = await answered(channel.push("before", {}));
  const states = () => named(events, "presence_state").length;
  await until("presence", () => states() === 1);

  await world.kill();
  await until("the loss to be noticed", () => closes.length > 0 && !socket.isConnected());
  const lost = channel.state;
  await world.begin();
  await until("the channel to be joined again", () => channel.state === "joined");
  // Without a fresh state the client would queue every later diff for ever.
  await until("a fresh presence state", () => states() === 2);
  await world.publish(world.topic, "after", "{}");
  await until("an event after the return", () => named(events, "after").length > 0);
  const later = await answered(channel.push("after", {}));
  return { join, answer, lost, later, deliveries: named(events, "after").length };
}
