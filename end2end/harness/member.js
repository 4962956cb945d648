// A program with a token of its own: the Phoenix client in Node.
import { createRequire } from "node:module";
import WebSocket from "ws";

const { Socket } = createRequire(import.meta.url)("phoenix");

/** How a join with this token is answered: `ok`, or the reason of the refusal. */
export async function joinWith(gateway, topic, token) {
  const socket = new Socket(gateway.socketUrl, { transport: WebSocket });
  socket.connect();
  try {
    return await new Promise((resolve) => {
      socket
        .channel(topic, { token })
        .join()
        .receive("ok", () => resolve("ok"))
        .receive("error", ({ reason }) => resolve(reason))
        .receive("timeout", () => resolve("no answer"));
    });
  } finally {
    socket.disconnect();
  }
}
