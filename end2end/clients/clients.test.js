// Every published client through every scenario that it has the means for, against the real gateway.
import { clients } from "./clients.js";
import { judge } from "./judge.js";
import { groupsFor } from "./scenarios/index.js";
import { test } from "./test.js";

for (const client of clients) {
  const scenarios = groupsFor(client).flatMap(({ scenarios }) => Object.entries(scenarios));

  test.describe(client.name, () => {
    for (const [name, scenario] of scenarios) {
      const limit = client.limits[name];
      if (limit && !limit.sign) continue;

      test.describe(() => {
        test.use({ own: scenario.own ?? false });
        // A client that races with itself is tried again in CI; no other.
        if (process.env.CI && client.races?.includes(name)) test.describe.configure({ retries: 2 });

        test(`${name}: ${scenario.title}`, async ({ gateway, bus, topic: room, start }) => {
          const topic = (client.prefix ?? "") + room;
          const driver = () => start(client.command);
          const world = { client, gateway, bus, topic, driver, url: gateway.socketUrl };
          await judge(client, name, (more) => scenario.run({ ...world, ...more }));
        });
      });
    }
  });
}
