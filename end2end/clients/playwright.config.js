// The published clients, without a browser. Apart from the other end-to-end tests, for it needs
// Python packages and two programs in Rust that those do not.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  testMatch: "*.test.js",
  outputDir: "../results/clients",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: true,
  workers: 2,
  reporter: [["list"]],
});
