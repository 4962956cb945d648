// A client library under test, in a process of its own: asked in lines of JSON, it answers in lines
// of JSON, and says by itself what arrives.
//
//   asked     {"id":1,"do":"join","topic":"room","token":"..."}
//   answers   {"id":1,"got":{"status":"ok","response":{...}}}   or   {"id":1,"failed":"why"}
//   says      {"told":"event","topic":"room","event":"news","payload":{}}   or with "bytes":[...]
//             {"told":"presence","topic":"room","members":{"alice":[{"phx_ref":"..."}]}}
//             {"told":"joined","topic":"room"}   also when it has come back by itself
//             {"told":"heartbeat"}               one was answered
//
// The commands are open, join, push, bytes, broadcast, track, untrack, refresh and leave; a driver
// has those that its library has.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { until } from "../harness/until.js";

/** As in the harness: the user's variables must not become settings of a client. */
const CLEAN = Object.fromEntries(
  ["PATH", "HOME", "TMPDIR", "LANG"].filter((name) => process.env[name]).map((name) => [name, process.env[name]]),
);
const KEPT_COMPLAINTS = 8_000;

export class Driver {
  /** @param {string[]} command the program and its arguments */
  constructor([program, ...args]) {
    this.process = spawn(program, args, { env: CLEAN, stdio: ["pipe", "pipe", "pipe"] });
    /** @type {Record<string, any>[]} what it said by itself, oldest first */
    this.told = [];
    this.complaints = "";
    this.waiting = new Map();
    this.lastId = 0;
    this.ended = false;
    this.end = new Promise((resolve) => {
      const ended = (why) => {
        this.ended = true;
        for (const { reject } of this.waiting.values()) {
          reject(new Error(`the driver ended (${why}):\n${this.complaints}`));
        }
        this.waiting.clear();
        resolve();
      };
      this.process.on("close", (code, signal) => ended(signal ?? code));
      this.process.on("error", ended);
    });
    this.process.stdin.on("error", () => {}); // it has ended, which is told above
    createInterface({ input: this.process.stdout }).on("line", (line) => this.#hear(JSON.parse(line)));
    this.process.stderr.setEncoding("utf8").on("data", (text) => {
      this.complaints = (this.complaints + text).slice(-KEPT_COMPLAINTS);
    });
  }

  #hear(said) {
    if (said.told) return void this.told.push(said);
    const waiting = this.waiting.get(said.id);
    this.waiting.delete(said.id);
    if ("failed" in said) waiting?.reject(new Error(said.failed));
    else waiting?.resolve(said.got);
  }

  /** Asks for one thing and gives what came of it. */
  do(name, args = {}) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.process.stdin.write(`${JSON.stringify({ id, do: name, ...args })}\n`);
    });
  }

  /** What it said of this kind, about this topic and, for events, of this name. */
  heard(kind, topic, event) {
    return this.told.filter(
      (said) =>
        said.told === kind &&
        (topic === undefined || said.topic === topic) &&
        (event === undefined || said.event === event),
    );
  }

  /** Waits until it has said so much of this. */
  async hears(kind, { topic, event, times = 1, limit } = {}) {
    const what = `${times} x ${[kind, event, topic].filter(Boolean).join(" ")}`;
    const detail = () => `it said: ${JSON.stringify(this.told)}\n${this.complaints}`;
    const condition = () => {
      const found = this.heard(kind, topic, event);
      if (found.length >= times) return found;
      if (this.ended) throw new Error(`the driver ended without ${what}. ${detail()}`);
    };
    return until(`${what} from the client`, condition, { limit, detail });
  }

  /** Ends it: without its standard input it goes by itself, and if it does not, it is made to. */
  async close() {
    this.process.stdin.end();
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 2_000);
    await this.end;
    clearTimeout(timer);
  }
}
