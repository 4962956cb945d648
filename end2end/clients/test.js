// What the scenarios of the clients are given: a gateway that relays what Supabase's clients
// broadcast, its bus, and drivers that are gone when the test is.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Gateway } from "../harness/gateway.js";
import { test as base } from "../harness/test.js";
import { Driver } from "./driver.js";

export { expect } from "../harness/test.js";

const CONFIG = join(dirname(fileURLToPath(import.meta.url)), "tidegate.toml");

export const test = base.extend({
  shared: [
    async ({}, use) => {
      const gateway = await Gateway.start(["--config", CONFIG]);
      await use(gateway);
      await gateway.stop();
    },
    { scope: "worker" },
  ],

  /** Starts one more driver with this command. */
  start: async ({}, use) => {
    const drivers = [];
    await use((command) => {
      const driver = new Driver(command);
      drivers.push(driver);
      return driver;
    });
    await Promise.all(drivers.map((driver) => driver.close()));
  },
});
