// The real gateway on free ports, the system's Chromium, and no waiting for time: a test waits for
// what it expects and fails after these limits.
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium =
  process.env.CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.js",
  outputDir: "results",
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env.CI),
  // A browser that a busy machine starved is tried again in CI; the report calls such a test flaky.
  retries: process.env.CI ? 2 : 0,
  fullyParallel: true,
  workers: 2,
  reporter: [["list"]],
  use: {
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: chromium,
      // WebGL in software, so that the map draws where there is no graphics card; and a browser
      // that asks nobody on the internet for anything.
      args: [
        "--no-sandbox",
        "--use-gl=angle",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
