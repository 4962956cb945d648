// A server on Bun, whose sockets and topics are those of uWebSockets, that speaks as much of Phoenix as
// the load generator asks for: a broadcast is one call, a reply to everything.
import { admits, PORT, SECRET } from "./http.mjs";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: PORT,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/websocket" && server.upgrade(request)) return undefined;
    if (pathname !== "/inject" || request.method !== "POST") return new Response(null, { status: 404 });
    const frame = await request.text();
    const [, , topic] = JSON.parse(frame);
    server.publish(topic, frame, false);
    return new Response(null, { status: 204 });
  },
  websocket: {
    perMessageDeflate: false,
    // A reader that is behind is measured, not cut.
    idleTimeout: 0,
    backpressureLimit: 1 << 30,
    message(socket, data) {
      const [joinRef, ref, topic, event, payload] = JSON.parse(data);
      let status = "ok";
      if (event === "phx_join") {
        if (topic === "tokens" && !admits(payload.token, topic, SECRET)) status = "error";
        else socket.subscribe(topic);
      }
      socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status, response: {} }]));
    },
  },
});
