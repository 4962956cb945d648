// A server on npm's ws that speaks as much of Phoenix as the load generator asks for: members of a
// topic in a set, a broadcast in a loop, a reply to everything.
import { WebSocketServer } from "ws";
import { admits, injectable, PORT, SECRET } from "./http.mjs";

const topics = new Map();
const members = (topic) => topics.get(topic) ?? topics.set(topic, new Set()).get(topic);

const http = injectable((frame) => {
  const [, , topic] = JSON.parse(frame);
  // One buffer for all: a string would be encoded again for each of them.
  for (const socket of members(topic)) socket.send(frame, { binary: false });
});

const server = new WebSocketServer({ server: http, path: "/websocket", perMessageDeflate: false });
server.on("connection", (socket) => {
  const joined = [];
  socket.on("message", (data) => {
    const [joinRef, ref, topic, event, payload] = JSON.parse(data);
    let status = "ok";
    if (event === "phx_join") {
      if (topic === "tokens" && !admits(payload.token, topic, SECRET)) {
        status = "error";
      } else {
        members(topic).add(socket);
        joined.push(topic);
      }
    }
    socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status, response: {} }]));
  });
  socket.on("close", () => joined.forEach((topic) => members(topic).delete(socket)));
  socket.on("error", () => socket.terminate());
});
http.listen({ port: PORT, host: "127.0.0.1", backlog: 1024 });
