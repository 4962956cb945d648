// docs/CLIENTS.md says what the suite shows, and names the versions that are installed.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { clients } from "./clients.js";
import { expectedFailures } from "./expected-failures.js";
import { matrix } from "./matrix.js";
import { groupsFor } from "./scenarios/index.js";
import { expect, test } from "./test.js";

const here = dirname(fileURLToPath(import.meta.url));
const text = (path) => readFile(join(here, path), "utf8");

/** The package and its version without what tells two ways of using it apart. */
const packageOf = ({ name }) => name.replace(/ \(.*\)$/, "");

/** For each registry: what is pinned there, as `package version`. */
const pins = {
  async npm() {
    const { packages } = JSON.parse(await text("node/package-lock.json"));
    return Object.entries(packages).map(
      ([path, { name, version }]) => `${name ?? path.replace(/^node_modules\//, "")} ${version}`,
    );
  },
  async PyPI() {
    const lines = (await text("python/requirements.txt")).split("\n");
    return lines.filter((line) => /^[^#]/.test(line)).map((line) => line.replace("==", " "));
  },
  async "crates.io"() {
    const packages = (await text("rust/Cargo.lock")).matchAll(/^name = "(.*)"\nversion = "(.*)"$/gm);
    return [...packages].map(([, name, version]) => `${name} ${version}`);
  },
};

test("the tables of docs/CLIENTS.md are what the suite holds true", async () => {
  const document = await text("../../docs/CLIENTS.md");
  for (const table of matrix()) {
    expect(document.includes(table), `node end2end/clients/matrix.js prints:\n\n${table}`).toBe(true);
  }
});

test("the clients are of the versions that are pinned", async () => {
  for (const registry of new Set(clients.map(({ from }) => from))) {
    const named = clients.filter(({ from }) => from === registry).map(packageOf);
    expect(await pins[registry]()).toEqual(expect.arrayContaining(named));
  }
});

test("every expected failure is one of a client and a scenario", () => {
  for (const { clients: which, scenario } of expectedFailures) {
    const meant = clients.filter(
      (client) =>
        which.test(client.name) &&
        !client.limits[scenario] &&
        groupsFor(client).some(({ scenarios }) => scenario in scenarios),
    );
    expect(meant.length, `${which} ${scenario}`).toBeGreaterThan(0);
  }
});
