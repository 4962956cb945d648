// What a test is given: a gateway shared by the tests of one worker, one of its own where it wants to
// kill it, and the bus of either.
import { test as base } from "@playwright/test";
import { Bus } from "./bus.js";
import { Gateway } from "./gateway.js";

export const test = base.extend({
  /** A gateway for all tests of a worker: they keep apart by using topics of their own. */
  shared: [
    async ({}, use) => {
      const gateway = await Gateway.start();
      await use(gateway);
      await gateway.stop();
    },
    { scope: "worker" },
  ],

  /** Whether the test needs a gateway that it may kill: `test.use({ own: true })`. */
  own: [false, { option: true }],

  gateway: async ({ own, shared }, use, info) => {
    const gateway = own ? await Gateway.start() : shared;
    await use(gateway);
    if (own) await gateway.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("gateway", { body: gateway.child.output, contentType: "text/plain" });
    }
  },

  bus: async ({ gateway }, use) => {
    const bus = await Bus.open(gateway.busUrl);
    await use(bus);
    await bus.close();
  },

  /** A topic that no other test uses. */
  topic: async ({}, use, info) => {
    await use(`room-${info.testId}-${info.repeatEachIndex}`);
  },
});

export { expect } from "@playwright/test";
