// What permessage-deflate saves and costs: real positions of aircraft to clients that read
// compressed messages, and to clients that do not, from the same gateway.
//   node bench/deflate.mjs                    200 clients, 500 messages of each size
//   GATEWAY=path/to/tidegate CLIENTS=1000 MESSAGES=200 node bench/deflate.mjs
// It needs what bench/peers/setup installs. Prints a table: bytes on the wire for each delivery
// (frame headers included), and CPU time of the gateway for each delivery.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRequire } from "node:module";

const here = dirname(fileURLToPath(import.meta.url));
const { WebSocket } = createRequire(join(here, "peers/package.json"))("ws");
const GATEWAY = process.env.GATEWAY ?? join(here, "../target/release/tidegate");
const CLIENTS = Number(process.env.CLIENTS ?? 200);
const MESSAGES = Number(process.env.MESSAGES ?? 500);
const AIRCRAFT = [1, 6, 50];
/** Messages under way at once: each is awaited by every client before a further one is sent. */
const IN_FLIGHT = 8;
const TICKS_PER_SECOND = 100;

const rows = (() => {
  const [head, ...lines] = readFileSync(join(here, "../plugins/flights/data/flights_paris_20211007_1330_20min.csv"), "utf8")
    .trim()
    .split("\n");
  const names = head.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((value, at) => [names[at], value])));
})();

/** The messages of one size: different ones, as a live feed has them. */
function payloads(aircraft) {
  return Array.from({ length: MESSAGES }, (_, n) => {
    const from = (n * aircraft) % (rows.length - aircraft);
    return JSON.stringify({ aircraft: rows.slice(from, from + aircraft) });
  });
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function start(flags) {
  const data = mkdtempSync(join(tmpdir(), "tidegate-deflate-"));
  const [port, bus] = [await freePort(), await freePort()];
  const child = spawn(
    GATEWAY,
    ["serve", "--port", port, "--bus-listen", `127.0.0.1:${bus}`, "--config", join(here, "gateway.toml"),
      "--jwt-secret", "the secret of a benchmark", "--admin-password", "a benchmark", ...flags].map(String),
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, XDG_STATE_HOME: data } },
  );
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.once("exit", resolve);
      child.kill("SIGKILL");
    }).then(() => rmSync(data, { recursive: true, force: true }));
  return { port, bus, pid: child.pid, stop };
}

/** CPU time of a process so far, in microseconds. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

async function measure(gateway, compressed, messages) {
  let got = 0;
  let reached = () => {};
  const sockets = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/websocket?vsn=2.0.0`, { perMessageDeflate: compressed });
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      if (Boolean(socket.extensions) !== compressed) throw new Error(`the gateway agreed on "${socket.extensions}"`);
      const joined = new Promise((resolve) => socket.once("message", resolve));
      socket.send(JSON.stringify(["1", "1", "bench", "phx_join", {}]));
      await joined;
      socket.on("message", () => {
        got += 1;
        reached();
      });
      return socket;
    }),
  );
  const bytes = () => sockets.reduce((sum, socket) => sum + socket._socket.bytesRead, 0);
  const bus = createConnection(gateway.bus, "127.0.0.1");
  bus.resume();
  const [cpuBefore, bytesBefore] = [cpu(gateway.pid), bytes()];
  for (let sent = 0; sent < messages.length; ) {
    for (const body of messages.slice(sent, sent + IN_FLIGHT)) {
      const name = "to:bench:positions";
      bus.write(`*3\r\n$7\r\nPUBLISH\r\n$${name.length}\r\n${name}\r\n$${Buffer.byteLength(body)}\r\n${body}\r\n`);
      sent += 1;
    }
    await new Promise((resolve) => {
      reached = () => got >= sent * CLIENTS && resolve();
      reached();
    });
  }
  const deliveries = messages.length * CLIENTS;
  const result = {
    bytes: (bytes() - bytesBefore) / deliveries,
    cpu: (cpu(gateway.pid) - cpuBefore) / deliveries,
  };
  bus.destroy();
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once("close", done).close())));
  return result;
}

console.log("| payload | bytes plain | bytes compressed | saved | CPU plain | CPU compressed |");
console.log("| ---: | ---: | ---: | ---: | ---: | ---: |");
for (const aircraft of AIRCRAFT) {
  const messages = payloads(aircraft);
  const size = messages.reduce((sum, body) => sum + body.length, 0) / messages.length;
  const gateway = await start(["--deflate-min-bytes", "100"]);
  try {
    const plain = await measure(gateway, false, messages);
    const compressed = await measure(gateway, true, messages);
    const saved = 100 * (1 - compressed.bytes / plain.bytes);
    console.log(
      `| ${size.toFixed(0)} B | ${plain.bytes.toFixed(0)} | ${compressed.bytes.toFixed(0)} | ${saved.toFixed(0)} % ` +
        `| ${plain.cpu.toFixed(2)} µs | ${compressed.cpu.toFixed(2)} µs |`,
    );
  } finally {
    await gateway.stop();
  }
}
