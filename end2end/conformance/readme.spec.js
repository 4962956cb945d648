// The two examples of the README, run as they stand there: the plugin in Python with redis-py, the
// page in Chromium with the phoenix client of npm. Only the port of the bus is another.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Bus } from "../harness/bus.js";
import { Child } from "../harness/child.js";
import { Gateway } from "../harness/gateway.js";
import { expect, test } from "../harness/test.js";
import { until } from "../harness/until.js";

const require = createRequire(import.meta.url);
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const python = [process.env.TIDEGATE_PYTHON, join(root, ".venv/bin/python")].find(
  (path) => path && existsSync(path),
);

async function example(language) {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const start = readme.indexOf("```" + language + "\n");
  expect(start, `the README has an example in ${language}`).toBeGreaterThan(0);
  return readme.slice(readme.indexOf("\n", start) + 1, readme.indexOf("\n```", start));
}

/** T1, T2, T3: ten lines each, with stock clients, talk to each other. */
test("the plugin and the page of the README talk to each other", async ({ page }, info) => {
  const site = info.outputPath("site");
  await mkdir(site, { recursive: true });
  const file = (name, text) => writeFile(join(site, name), text);
  await file("example.js", await example("js"));
  await copyFile(join(dirname(require.resolve("phoenix")), "phoenix.mjs"), join(site, "phoenix.mjs"));
  await file(
    "example.html",
    `<!doctype html><script type="importmap">{"imports":{"phoenix":"/phoenix.mjs"}}</script>
     <script type="module" src="/example.js"></script>`,
  );

  const gateway = await Gateway.start(["--static-path", site]);
  const bus = await Bus.open(gateway.busUrl);
  const script = info.outputPath("plugin.py");
  await writeFile(script, (await example("python")).replace("port=2026", `port=${gateway.busPort}`));
  const plugin = new Child(python ?? "python3", [script]);
  try {
    await until(
      "the plugin to listen",
      async () => (await bus.publisher.sendCommand(["PUBSUB", "NUMPAT"])) > 2 || plugin.ended,
      { detail: () => plugin.output },
    );
    expect(plugin.ended, plugin.output).toBeUndefined();
    const said = page.waitForEvent("console", (message) => message.text() === "HELLO");
    await page.goto(`${gateway.url}/example.html`);
    await said;
  } finally {
    await plugin.stop();
    await bus.close();
    await gateway.stop();
  }
});
