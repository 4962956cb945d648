// A Socket.IO server with a room for each topic, and an acknowledgement for everything.
import { Server } from "socket.io";
import { admits, injectable, PORT, SECRET } from "./http.mjs";

const http = injectable((frame) => {
  const [, , topic, event, payload] = JSON.parse(frame);
  io.to(topic).emit(event, payload);
});

const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => {
  socket.on("join", (topic, payload, answer) => {
    if (topic === "tokens" && !admits(payload.token, topic, SECRET)) {
      answer({ status: "error" });
      return;
    }
    socket.join(topic);
    answer({ status: "ok" });
  });
  socket.on("ask", (_topic, _payload, answer) => answer({ status: "ok" }));
});
http.listen({ port: PORT, host: "127.0.0.1", backlog: 1024 });
