// How the interface's program gets to the browser, and what is seen when it does not.
import { expect, pill, test } from "../harness/page.js";

const program = async (request, gateway) => {
  const html = await (await request.get(gateway.url)).text();
  return /href="(\/pkg\/tidegate\.wasm\?v=[0-9a-f]{32})"/.exec(html)[1];
};

/** Answers requests for the program with an empty body, as long as `broken` says so. */
const breakProgram = (page, broken) =>
  page.route("**/tidegate.wasm*", (route) =>
    broken()
      ? route.fulfill({ contentType: "application/wasm", body: "" })
      : route.continue(),
  );

test("the program comes compressed, with its length, and may be kept for good", async ({
  request,
  gateway,
}) => {
  const address = gateway.url + (await program(request, gateway));
  const sizes = {};
  for (const encoding of ["br", "gzip", "identity"]) {
    const answer = await request.get(address, { headers: { "accept-encoding": encoding } });
    const headers = answer.headers();
    expect(headers["content-encoding"]).toBe(encoding === "identity" ? undefined : encoding);
    expect(headers["cache-control"]).toContain("immutable");
    expect(headers.vary).toContain("accept-encoding");
    sizes[encoding] = Number(headers["content-length"]);
    const known = await request.get(address, {
      headers: { "accept-encoding": encoding, "if-none-match": headers.etag },
    });
    expect(known.status()).toBe(304);
  }
  expect(sizes.br).toBeGreaterThan(0);
  expect(sizes.br).toBeLessThan(sizes.gzip);
  expect(sizes.gzip).toBeLessThan(sizes.identity);

  // Under another version the content is that of today, so nobody keeps it.
  const other = await request.get(address.replace(/v=.*/, "v=0"));
  expect(other.status()).toBe(200);
  expect(other.headers()["cache-control"]).toBe("no-cache");
});

test("a program that arrives broken is fetched again", async ({ page, open }) => {
  let again = false;
  page.on("console", (message) => (again ||= message.text().includes("fetched again")));
  await breakProgram(page, () => !again);
  await open(page, "/client?name=alice");
  await expect(pill(page)).toHaveText("Live");
  expect(again).toBe(true);
});

test.describe("a program that never arrives", () => {
  test.use({ expected: /CompileError|preload/ });

  test("the page says so and offers to load again", async ({ page, gateway }) => {
    await breakProgram(page, () => true);
    await page.goto(`${gateway.url}/client?name=alice`);
    const notice = page.getByRole("alert").filter({ hasText: "could not be started" });
    await expect(notice).toBeVisible();
    await page.unroute("**/tidegate.wasm*");
    await notice.getByRole("button", { name: "Load again" }).click();
    await expect(notice).toHaveCount(0);
    await expect(pill(page)).toHaveText("Live");
  });
});
