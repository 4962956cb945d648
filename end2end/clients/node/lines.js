// What every driver in JavaScript shares: it is asked in lines of JSON and answers in lines of JSON.
// See ../driver.js for the words.
import { Console } from "node:console";
import { createInterface } from "node:readline";

// The libraries talk to the console, and standard output is spoken for.
globalThis.console = new Console(process.stderr, process.stderr);

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Says something that nobody asked for: an event, a change of presence, a join that came back. */
export function tell(told, more) {
  const { payload, ...rest } = more;
  const bytes = payload instanceof ArrayBuffer ? { bytes: [...new Uint8Array(payload)] } : { payload };
  say({ told, ...rest, ...("payload" in more ? bytes : {}) });
}

/**
 * Answers commands until the other side hangs up.
 * @param {Record<string, (args: any) => any>} commands
 */
export function drive(commands) {
  createInterface({ input: process.stdin })
    .on("line", async (line) => {
      const { id, do: name, ...args } = JSON.parse(line);
      try {
        say({ id, got: (await commands[name](args)) ?? null });
      } catch (error) {
        say({ id, failed: String(error?.message ?? error) });
      }
    })
    .on("close", () => process.exit(0));
}

/** Resolves with how a push, a join or a leave of a phoenix.js-like client was answered. */
export function answered(push) {
  return new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) {
      push.receive(status, (response) => resolve({ status, response }));
    }
  });
}

/** Whether an event is one of the protocol's own, which the library deals with by itself. */
export const isProtocol = (event) => /^(phx_|presence_|chan_reply_)/.test(event);
