// Drives Supabase's client for browsers: node realtime-js.js VSN. It adds `realtime:` to every topic,
// wants an API key, and knows events only as broadcasts.
import realtime from "@supabase/realtime-js";
import WebSocket from "ws";
import { drive, tell } from "./lines.js";

const channels = new Map();
let client;

/** Its promises say ok, error or timed out. */
const asAnswer = (said) => ({ status: said === "timed out" ? "timeout" : said });

const commands = {
  open({ url, userToken, heartbeat }) {
    client = new realtime.RealtimeClient(url, {
      transport: WebSocket,
      vsn: process.argv[2],
      params: { apikey: "none", ...(userToken ? { userToken } : {}) },
      ...(heartbeat ? { heartbeatIntervalMs: heartbeat } : {}),
      heartbeatCallback: (status) => status === "ok" && tell("heartbeat", {}),
    });
  },

  join({ topic, accessToken, key }) {
    // A promise of setAuth resolves in a later turn, yet the token is there for the join.
    if (accessToken) client.setAuth(accessToken);
    const channel = client.channel(topic.replace(/^realtime:/, ""), {
      config: { broadcast: { ack: true }, ...(key ? { presence: { key, enabled: true } } : {}) },
    });
    channels.set(topic, channel);
    channel.on("broadcast", { event: "*" }, ({ event, payload }) => tell("event", { topic, event, payload }));
    channel.on("presence", { event: "sync" }, () => {
      tell("presence", { topic, members: channel.presenceState() });
    });
    return new Promise((resolve) => {
      channel.subscribe((state, error) => {
        if (state === "SUBSCRIBED") tell("joined", { topic });
        const status = { SUBSCRIBED: "ok", TIMED_OUT: "timeout" }[state] ?? "error";
        resolve({ status, response: { reason: error?.message } });
      });
    });
  },

  push: async ({ topic, event, payload }) =>
    asAnswer(await channels.get(topic).send({ ...payload, type: event })),
  // The bytes that it sends are broadcasts; the gateway takes them for what they are.
  bytes: (what) => commands.broadcast(what),
  broadcast: async ({ topic, event, payload, bytes }) =>
    asAnswer(
      await channels.get(topic).send({
        type: "broadcast",
        event,
        payload: bytes ? Uint8Array.from(bytes).buffer : payload,
      }),
    ),
  track: async ({ topic, payload }) => asAnswer(await channels.get(topic).track(payload)),
  untrack: async ({ topic }) => asAnswer(await channels.get(topic).untrack()),
  refresh: ({ accessToken }) => client.setAuth(accessToken),
  leave: async ({ topic }) => asAnswer(await channels.get(topic).unsubscribe()),
};

drive(commands);
