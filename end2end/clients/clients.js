// The published clients and what each of them can do. A scenario that is not mentioned must work.
//
// `cannot` names what the library does not have or does not do by its own design, whatever the
// gateway sends; with a `sign` the suite also shows that it is so. What fails because of the gateway
// is not here but in expected-failures.js.
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
/** Where setup and scripts/test put what is not Node's. */
const built = join(resolve(root, process.env.CARGO_TARGET_DIR ?? "target"), "clients");
const node = (file, ...args) => [process.execPath, join(here, "node", file), ...args];
const python = (file, ...args) => [join(built, "python/bin/python"), join(here, "python", file), ...args];
const rust = (program) => [join(built, "debug", program)];

const noLongPoll = (why) =>
  Object.fromEntries(
    ["longPoll", "longPollToken", "longPollRestart", "fallback"].map((name) => [name, { cannot: why }]),
  );
const NO_LONG_POLL = noLongPoll("it knows WebSocket only");
const NO_BYTES = Object.fromEntries(
  ["bytesUp", "bytesDown", "broadcastBytes"].map((name) => [name, { cannot: "V1 has no binary frames" }]),
);
const NO_AUTH_TOKEN = { subprotocol: { cannot: "it offers no subprotocol" } };

const DROPS_BROADCASTS = "with V2 it drops what has a `join_ref` other than its own, so every broadcast";
const BINARY_DROPS_IT = "a binary frame makes it drop the connection and come back";
const LISTENS_ONLY = {
  push: { cannot: "it only listens: it has no call that pushes" },
  bytesUp: { cannot: "it only listens: it has no call that pushes" },
};

/** Supabase's clients call every event a broadcast and wrap it. */
const asBroadcast = (event, payload) => ["broadcast", { type: "broadcast", event, payload }];

/**
 * @typedef {object} Client
 * @property {string} name package and version
 * @property {string} from the registry
 * @property {string} wire what it speaks
 * @property {string[]} command what starts its driver
 * @property {Record<string, { cannot: string, sign?: RegExp }>} limits
 * @property {boolean} [tokenInAddress] its joins cannot carry a token, so the address does
 * @property {boolean} [noMetadata] its joins cannot carry presence metadata
 * @property {boolean} [supabase] it knows what only Supabase's clients speak
 * @property {string} [prefix] what its topics must begin with
 * @property {(event: string, payload: unknown) => [string, unknown]} [wrap] how a plugin writes an
 *   event that it understands
 */

/** @type {Client[]} */
export const clients = [
  ...["1.8.16", "1.8.9"].map((version) => ({
    name: `phoenix ${version}`,
    from: "npm",
    wire: "V2, text and binary; long poll",
    command: node("phoenix.js", version === "1.8.16" ? "phoenix" : `phoenix-${version}`),
    limits: {},
  })),
  {
    name: "phoenix 1.7.11",
    from: "npm",
    wire: "V2, text and binary; long poll in browsers",
    command: node("phoenix.js", "phoenix-1.7.11"),
    limits: {
      ...noLongPoll("it polls with XMLHttpRequest, which Node does not have"),
      subprotocol: { cannot: "`authToken` came with 1.8" },
    },
  },
  {
    name: "@supabase/phoenix 0.4.5",
    from: "npm",
    wire: "V2, text and binary; long poll",
    command: node("phoenix.js", "@supabase/phoenix"),
    limits: {},
  },
  {
    name: "phoenix-channels 1.0.0",
    from: "npm",
    wire: "V1",
    command: node("phoenix-channels.js"),
    limits: {
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      ...NO_BYTES,
      anyJson: { cannot: "it reads `payload.status` of every frame, so `null` throws", sign: /TypeError/ },
    },
  },
  ...["2.0.0", "1.0.0"].map((vsn) => ({
    name: `@supabase/realtime-js 2.119.0${vsn === "1.0.0" ? " (V1)" : ""}`,
    from: "npm",
    wire: vsn === "1.0.0" ? "V1, by `vsn: \"1.0.0\"`" : "V2, and binary frames of Supabase's own",
    command: node("realtime-js.js", vsn),
    supabase: true,
    tokenInAddress: true,
    noMetadata: true,
    prefix: "realtime:",
    wrap: asBroadcast,
    limits: {
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      ...(vsn === "1.0.0" && NO_BYTES),
    },
  })),
  {
    name: "realtime 2.34.1",
    from: "PyPI",
    wire: "V1",
    command: python("drive_realtime.py"),
    supabase: true,
    tokenInAddress: true,
    noMetadata: true,
    prefix: "realtime:",
    wrap: asBroadcast,
    limits: {
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      ...NO_BYTES,
      heartbeat: { cannot: "it sends them with ref null, at most every 15 s, and looks for no answer" },
      anyJson: { cannot: "its models want an object", sign: /in vain for 6 x event news/ },
    },
  },
  {
    name: "phxsocket 0.1.5",
    from: "PyPI",
    wire: "V1, refs are numbers",
    command: python("drive_phxsocket.py"),
    limits: {
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      ...NO_BYTES,
    },
  },
  {
    name: "phoenix-channels-python-client 0.4.1",
    from: "PyPI",
    wire: "V2, text",
    command: python("drive_phoenix_channels.py", "2.0"),
    tokenInAddress: true,
    noMetadata: true,
    limits: {
      ...LISTENS_ONLY,
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      event: { cannot: DROPS_BROADCASTS, sign: /in vain for 1 x event marker/ },
      anyJson: { cannot: DROPS_BROADCASTS, sign: /in vain for 6 x event news/ },
      topics: { cannot: DROPS_BROADCASTS, sign: /in vain for 1 x event news/ },
      presence: { cannot: DROPS_BROADCASTS, sign: /presence to be as wanted/ },
      bytesDown: { cannot: BINARY_DROPS_IT, sign: /Failed to parse/ },
    },
  },
  {
    name: "phoenix-channels-python-client 0.4.1 (V1)",
    from: "PyPI",
    wire: "V1, by `protocol_version`",
    command: python("drive_phoenix_channels.py", "1.0"),
    tokenInAddress: true,
    noMetadata: true,
    limits: {
      ...LISTENS_ONLY,
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      bytesDown: { cannot: "V1 has no binary frames" },
      anyJson: { cannot: "it makes `{}` of a payload that is no object", sign: /toEqual/ },
    },
  },
  {
    name: "phoenix-chan 0.4.6",
    from: "crates.io",
    wire: "V2, text; one `join_ref` for all topics",
    command: rust("phoenix-chan"),
    limits: {
      ...NO_LONG_POLL,
      bytesUp: { cannot: "it writes and reads text frames only" },
      bytesDown: { cannot: "it writes and reads text frames only", sign: /in vain for 1 x event blob/ },
    },
  },
  {
    name: "phyllo 0.3.0",
    from: "crates.io",
    wire: "V2, text; refs are numbers",
    command: rust("phyllo"),
    // It now and then asks for an answer that it already has, and panics; and it has a task for each
    // topic, so that what it says of two has no order.
    races: ["leave", "topics"],
    limits: {
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      bytesUp: { cannot: "it writes and reads text frames only" },
      bytesDown: { cannot: "it writes and reads text frames only", sign: /in vain for 1 x event blob/ },
      refused: { cannot: "it tells nobody of a refused join and tries again", sign: /no word of the join/ },
      push: {
        cannot: "its pushes name a `join_ref` that its join did not have, which is stale by the protocol",
        sign: /message reply timeout/,
      },
      heartbeat: { cannot: "it looks for no answer" },
      anyJson: {
        cannot: "it loses `null`, and takes what has `status` and `response` for a reply",
        sign: /in vain for 6 x event news/,
      },
    },
  },
];
