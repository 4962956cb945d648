// A program under test: started, listened to, and never left behind.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

const KEPT_LINES = 400;
const STOP_LIMIT = 10_000;
/** Every child that runs; whatever ends this process ends them first. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Linux can end a child with its parent even when the parent is killed outright. */
const GUARD = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL"] : [];

/** Not all of this process's environment: npm's and the user's variables must not become settings. */
const CLEAN = Object.fromEntries(
  ["PATH", "HOME", "TMPDIR", "LANG"].filter((name) => process.env[name]).map((name) => [name, process.env[name]]),
);

export class Child {
  /**
   * @param {string} program
   * @param {string[]} args
   * @param {Record<string, string>} [env] what else it finds in its environment
   */
  constructor(program, args, env = {}) {
    if (!existsSync(program)) {
      throw new Error(`${program} is not there: run make test, or scripts/build debug`);
    }
    const [file, ...rest] = [...GUARD, program, ...args];
    /** @type {string[]} */
    this.lines = [];
    this.process = spawn(file, rest, {
      env: { ...CLEAN, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.process);
    /** @type {{ code: number | null, signal: string | null } | undefined} */
    this.ended = undefined;
    this.end = new Promise((resolve) => {
      const done = (code, signal) => {
        running.delete(this.process);
        this.ended ??= { code, signal };
        resolve(this.ended);
      };
      this.process.on("close", done);
      this.process.on("error", (error) => {
        this.lines.push(String(error));
        done(null, null);
      });
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text) => {
        const parts = (rest + text).split("\n");
        rest = parts.pop() ?? "";
        this.lines.push(...parts);
        this.lines.splice(0, this.lines.length - KEPT_LINES);
      });
    }
  }

  /** What it said last. */
  get output() {
    return this.lines.join("\n");
  }

  /** Ends it at once, as a crash or a power cut would. */
  async kill() {
    this.process.kill("SIGKILL");
    return this.end;
  }

  /** Asks it to end, and kills it if it does not within ten seconds. */
  async stop() {
    if (this.ended) return this.ended;
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_LIMIT);
    const ended = await this.end;
    clearTimeout(timer);
    return ended;
  }
}
