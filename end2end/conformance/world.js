// The world a scenario lives in. It is built from the Phoenix client, a WebSocket class, and `far`:
// what only the test's own process can do (the bus, tokens, the gateway's process).

/**
 * @param {object} parts
 * @param {typeof import("phoenix")} parts.Phoenix
 * @param {typeof WebSocket} parts.WebSocket
 * @param {string} parts.topic
 * @param {string} parts.socketUrl
 * @param {Record<string, (...args: any[]) => Promise<any>>} parts.far
 */
export function createWorld({ Phoenix, WebSocket, topic, socketUrl, far }) {
  const sockets = [];
  return {
    Phoenix,
    WebSocket,
    topic,
    socketUrl,
    ...far,

    /** A connected Phoenix socket, closed with the world. */
    socket(options = {}) {
      const socket = new Phoenix.Socket(socketUrl, { transport: WebSocket, ...options });
      socket.connect();
      sockets.push(socket);
      return socket;
    },

    disconnect: (socket) => new Promise((resolve) => socket.disconnect(resolve)),

    /** Sends one frame past the channel objects and resolves with its answer. */
    raw(socket, topic, event, payload = {}) {
      const ref = socket.makeRef();
      return new Promise((resolve) => {
        socket.onMessage((message) => message.ref === ref && resolve(message));
        socket.push({ topic, event, payload, ref, join_ref: null });
      });
    },

    close: () => sockets.forEach((socket) => socket.disconnect()),
  };
}
