// Holds what a client did against what is known of it: it works, or it cannot, or the gateway does
// not let it yet. What is known to fail must fail, and in the known way.
import { stripVTControlCharacters } from "node:util";
import { expectedFailures } from "./expected-failures.js";

/** How long a client that is known to stay silent is listened to. */
const SILENCE = 2_000;

/** The entry of the list of expected failures for this client and scenario. */
export const expectedFailure = (client, name) =>
  expectedFailures.find(({ clients, scenario }) => scenario === name && clients.test(client.name));

/**
 * @param {import("./clients.js").Client} client
 * @param {string} name the scenario's
 * @param {(more: object) => Promise<void>} run
 */
export async function judge(client, name, run) {
  const known = client.limits[name] ?? expectedFailure(client, name);
  if (!known) return run({});

  const failure = await run({ limit: SILENCE }).then(
    () => undefined,
    (error) => error,
  );
  if (!failure) {
    throw new Error(
      `${client.name}: ${name} works now. Take it out of ` +
        `${"cannot" in known ? "clients.js" : "expected-failures.js"} and correct docs/CLIENTS.md`,
    );
  }
  if (!known.sign.test(stripVTControlCharacters(failure.message))) {
    throw new Error(`${client.name}: ${name} fails otherwise than known (${known.sign})`, { cause: failure });
  }
}
