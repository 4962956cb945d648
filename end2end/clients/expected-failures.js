// What the gateway does not do yet and a client would need. This list may only shrink: the suite
// fails when something in it works, and when it fails in another way than the sign says.

/** Supabase's clients, in JavaScript and in Python. */
const SUPABASE = /realtime/;

/** @type {{ clients: RegExp, scenario: string, sign: RegExp, because: string }[]} */
export const expectedFailures = [
  ...["broadcast", "broadcastBytes"].map((scenario) => ({
    clients: /^@supabase\/realtime-js 2\.119\.0$/,
    scenario,
    sign: /in vain for 1 x event say/,
    because: "binary frames with opcode 3 are refused as malformed",
  })),
  {
    clients: SUPABASE,
    scenario: "track",
    sign: /in vain for presence to be as wanted/,
    because: "the event `presence` is published like any other and tracks nobody",
  },
];
