// What the gateway does not do yet and a client would need. This list may only shrink: the suite
// fails when something in it works, and when it fails in another way than the sign says.

/** Supabase's clients, in JavaScript and in Python. */
const SUPABASE = /realtime/;

/** @type {{ clients: RegExp, scenario: string, sign: RegExp, because: string }[]} */
export const expectedFailures = [
  {
    clients: SUPABASE,
    scenario: "track",
    sign: /in vain for presence to be as wanted/,
    because: "the event `presence` is published like any other and tracks nobody",
  },
];
