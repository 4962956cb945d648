// Drives phoenix.js, any of its versions, and the fork of it that Supabase publishes:
// node phoenix.js PACKAGE
import { createRequire } from "node:module";
import WebSocket from "ws";
import { answered, drive, isProtocol, tell } from "./lines.js";

// 1.7.11 looks for a browser's global object and, without one, does not get through its constructor.
globalThis.self ??= globalThis;
const { Socket, Presence, LongPoll } = createRequire(import.meta.url)(process.argv[2]);
const channels = new Map();
let socket;

drive({
  open: ({ url, userToken, authToken, heartbeat, longpoll, fallback }) =>
    new Promise((resolve, reject) => {
      socket = new Socket(url, {
        transport: longpoll ? LongPoll : WebSocket,
        params: userToken ? { userToken } : {},
        ...(authToken ? { authToken } : {}),
        ...(heartbeat ? { heartbeatIntervalMs: heartbeat } : {}),
        ...(fallback ? { longPollFallbackMs: fallback } : {}),
      });
      socket.onOpen(() => resolve(null));
      // Where there is a fallback the first error is not the last word.
      let patience = fallback ? 1 : 0;
      socket.onError((error) => {
        if (patience-- <= 0) reject(new Error(`no socket: ${error?.message ?? error}`));
      });
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
    const members = new Presence(channel);
    members.onSync(() => {
      tell("presence", { topic, members: Object.fromEntries(members.list((id, { metas }) => [id, metas])) });
    });
    const push = channel.join();
    push.receive("ok", () => tell("joined", { topic }));
    return answered(push);
  },

  push: ({ topic, event, payload }) => answered(channels.get(topic).push(event, payload)),
  bytes: ({ topic, event, bytes }) =>
    answered(channels.get(topic).push(event, Uint8Array.from(bytes).buffer)),
  leave: ({ topic }) => answered(channels.get(topic).leave()),
});
