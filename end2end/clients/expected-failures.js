// What the gateway does not do yet and a client would need. This list may only shrink: the suite
// fails when something in it works, and when it fails in another way than the sign says.

/** @type {{ clients: RegExp, scenario: string, sign: RegExp, because: string }[]} */
export const expectedFailures = [];
