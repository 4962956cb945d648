// The real gateway on free ports with a state folder of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";
import { until } from "./until.js";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** Where the programs under test are. */
export const PROGRAMS =
  process.env.TIDEGATE_PROGRAMS ??
  join(resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target"), "debug");

export const ADMIN_PASSWORD = "correct horse battery staple";

/**
 * A port that nobody listens on, below those that the kernel gives to outgoing connections: it stays
 * free while a gateway that was killed there is started again.
 */
async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const listens = await new Promise((done) => {
      server.once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => done(true));
    });
    if (listens) {
      await new Promise((done) => server.close(done));
      return port;
    }
  }
}

/** Whether somebody listens there. */
function listens(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), done(true)));
    socket.once("error", () => done(false));
  });
}

export class Gateway {
  /** @param {string[]} flags more of them for `tidegate serve` */
  static async start(flags = []) {
    const state = await mkdtemp(join(tmpdir(), "tidegate-end2end-"));
    const gateway = new Gateway(await freePort(), await freePort(), state, flags);
    try {
      await gateway.begin();
    } catch (error) {
      await gateway.stop();
      throw error;
    }
    return gateway;
  }

  constructor(port, busPort, state, flags) {
    this.port = port;
    this.busPort = busPort;
    this.state = state;
    this.flags = flags;
    this.plugins = new Map();
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What a Phoenix client is given: it appends `/websocket` itself. */
  get socketUrl() {
    return `ws://127.0.0.1:${this.port}`;
  }

  get busUrl() {
    return `redis://127.0.0.1:${this.busPort}`;
  }

  /** Starts the process on the ports it had before, and waits until it answers. */
  async begin() {
    this.child = new Child(join(PROGRAMS, "tidegate"), [
      "serve",
      ...["--host", "127.0.0.1", "--port", String(this.port)],
      ...["--bus-listen", `127.0.0.1:${this.busPort}`],
      ...["--data-dir", this.state, "--admin-password", ADMIN_PASSWORD],
      ...this.flags,
    ]);
    const detail = () => `the gateway said:\n${this.child.output}`;
    await until(
      "the gateway to answer",
      async () => {
        if (this.child.ended) throw new Error(`the gateway ended. ${detail()}`);
        const page = await fetch(this.url).catch(() => undefined);
        await page?.body?.cancel();
        return page?.ok && (await listens(this.busPort));
      },
      { limit: 30_000, detail },
    );
  }

  /** Ends it at once; its ports and its state stay reserved for `begin`. */
  async kill() {
    await this.child.kill();
  }

  /**
   * Starts a plugin on this gateway's bus.
   * @param {"flights" | "host"} name
   */
  plugin(name, flags = []) {
    const program = join(PROGRAMS, `tidegate-${name}`);
    const child = new Child(program, ["--redis-url", this.busUrl, ...flags]);
    this.plugins.set(name, child);
    return child;
  }

  /** A token, as any page gets one. */
  async token(channel, id) {
    const answer = await fetch(`${this.url}/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ channel, id }),
    });
    if (!answer.ok) throw new Error(`POST /token: ${answer.status} ${await answer.text()}`);
    return (await answer.json()).token;
  }

  /** Ends everything and removes the state folder. */
  async stop() {
    await Promise.all([...this.plugins.values()].map((plugin) => plugin.stop()));
    await this.child?.stop();
    await rm(this.state, { recursive: true, force: true });
  }
}
