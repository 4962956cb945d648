// A proxy of the kind that stands before some offices: it hands on every request but lets no
// connection be upgraded.
import { createServer, request } from "node:http";

/** @param {string} target where the requests go */
export async function createProxy(target) {
  const { hostname, port } = new URL(target);
  const proxy = { refused: 0 };
  const server = createServer((from, to) => {
    const { url: path, method, headers } = from;
    const onward = request({ hostname, port, path, method, headers }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      answer.pipe(to);
    });
    onward.on("error", () => to.destroy());
    to.on("close", () => onward.destroy());
    from.pipe(onward);
  });
  server.on("upgrade", (_request, socket) => {
    proxy.refused += 1;
    socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  });
}
