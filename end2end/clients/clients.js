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

const NO_LONG_POLL = {
  longpoll: { cannot: "it knows WebSocket only" },
  fallback: { cannot: "it knows WebSocket only" },
};
const NO_BYTES = (why) => ({ bytesUp: { cannot: why }, bytesDown: { cannot: why } });
const NO_AUTH_TOKEN = { subprotocol: { cannot: "it offers no subprotocol" } };

const DROPS_BROADCASTS = "with V2 it drops what has a `join_ref` other than its own, so every broadcast";
const LISTENS_ONLY = {
  push: { cannot: "it only listens: it has no call that pushes" },
  bytesUp: { cannot: "it only listens: it has no call that pushes" },
  presence: { cannot: "it has no presence; its frames arrive as events" },
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
      longpoll: { cannot: "it polls with XMLHttpRequest, which Node does not have" },
      fallback: { cannot: "it polls with XMLHttpRequest, which Node does not have" },
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
      ...NO_BYTES("V1 has no binary frames"),
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
      bytesUp: { cannot: "it sends bytes inside broadcasts only" },
      bytesDown: {
        cannot: "it reads bytes inside broadcasts only",
        ...(vsn === "2.0.0" && { sign: /TypeError/ }),
      },
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
      ...NO_BYTES("V1 has no binary frames"),
      heartbeat: { cannot: "it sends them with ref null, every 15 s at most, and looks for no answer" },
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
      ...NO_BYTES("V1 has no binary frames"),
      presence: { cannot: "it has no presence; its frames arrive as events" },
    },
  },
  {
    name: "phoenix-channels-python-client 0.4.1",
    from: "PyPI",
    wire: "V2, text",
    command: python("drive_phoenix_channels.py", "2.0"),
    tokenInAddress: true,
    limits: {
      ...LISTENS_ONLY,
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      event: { cannot: DROPS_BROADCASTS, sign: /in vain for 1 x event marker/ },
      topics: { cannot: DROPS_BROADCASTS, sign: /in vain for 1 x event news/ },
      bytesDown: { cannot: "a binary frame makes it drop the connection and come back", sign: /Failed to parse/ },
    },
  },
  {
    name: "phoenix-channels-python-client 0.4.1 (V1)",
    from: "PyPI",
    wire: "V1, by `protocol_version`",
    command: python("drive_phoenix_channels.py", "1.0"),
    tokenInAddress: true,
    limits: {
      ...LISTENS_ONLY,
      ...NO_LONG_POLL,
      ...NO_AUTH_TOKEN,
      bytesDown: { cannot: "V1 has no binary frames" },
    },
  },
];
