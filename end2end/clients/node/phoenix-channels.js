// Drives phoenix-channels, the phoenix.js of 2016 for Node: V1 objects, no join_ref.
import PhoenixChannels from "phoenix-channels";
import { answered, drive, isProtocol, tell } from "./lines.js";

const { Socket, Presence } = PhoenixChannels;
const channels = new Map();
let socket;

drive({
  open: ({ url, userToken, heartbeat }) =>
    new Promise((resolve, reject) => {
      socket = new Socket(url, {
        params: userToken ? { userToken } : {},
        ...(heartbeat ? { heartbeatIntervalMs: heartbeat } : {}),
      });
      socket.onOpen(() => resolve(null));
      socket.onError((error) => reject(new Error(`no socket: ${error?.message ?? error}`)));
      socket.onMessage(({ topic, event }) => {
        if (topic === "phoenix" && event === "phx_reply") tell("heartbeat", {});
      });
      socket.connect();
    }),

  join({ topic, token, presence }) {
    const channel = socket.channel(topic, { ...(token && { token }), ...(presence && { presence }) });
    channels.set(topic, channel);
    channel.onMessage = (event, payload) => {
      if (!isProtocol(event)) tell("event", { topic, event, payload });
      return payload;
    };
    // Its Presence is a set of functions; the state is the user's to keep.
    let members = {};
    const keep = (next) => {
      members = next;
      tell("presence", {
        topic,
        members: Object.fromEntries(Presence.list(members, (id, { metas }) => [id, metas])),
      });
    };
    channel.on("presence_state", (state) => keep(Presence.syncState(members, state)));
    channel.on("presence_diff", (diff) => keep(Presence.syncDiff(members, diff)));
    const push = channel.join();
    push.receive("ok", () => tell("joined", { topic }));
    return answered(push);
  },

  push: ({ topic, event, payload }) => answered(channels.get(topic).push(event, payload)),
  leave: ({ topic }) => answered(channels.get(topic).leave()),
});
