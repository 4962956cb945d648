// Every page at three widths, in both themes: nothing sticks out, nothing complains, keys reach it.
import { signedIn } from "../harness/admin.js";
import { expect, test } from "../harness/page.js";

const WIDTHS = [360, 900, 1920];
const PAGES = {
  "/": {},
  "/client?name=alice": {},
  "/docs/api": {},
  "/admin": { signIn: true },
  "/admin/channels": { signIn: true },
  "/admin/connections": { signIn: true },
  "/admin/live": { signIn: true },
  "/admin/send": { signIn: true },
  "/admin/definitions": { signIn: true },
  "/admin/tokens": { signIn: true },
  "/admin/keys": { signIn: true },
  "/admin/users": { signIn: true },
  "/admin/sessions": { signIn: true },
  "/admin/api-keys": { signIn: true },
  "/admin/activity": { signIn: true },
  "/admin/configuration": { signIn: true },
  "/admin/account": { signIn: true },
};

for (const [path, { signIn: needed }] of Object.entries(PAGES)) {
  for (const colorScheme of ["light", "dark"]) {
    test.describe(`${path}, ${colorScheme}`, () => {
      test.use({ colorScheme });

      test("fits every width", async ({ page, gateway, open }) => {
        if (needed) await signedIn(page, gateway);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          await open(page, path);
          await expect(page.getByRole("main")).toBeVisible();
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          expect(wide, `at ${width} px`).toBeLessThanOrEqual(width);
        }
      });
    });
  }

  test(`${path} is reached by keys, and shows where they are`, async ({ page, gateway, open }) => {
    if (needed) await signedIn(page, gateway);
    await open(page, path);
    const reached = [];
    for (let press = 0; press < 12; press += 1) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => {
          const { activeElement: at } = document;
          const style = getComputedStyle(at);
          return {
            name: (at.getAttribute("aria-label") ?? at.textContent).trim().slice(0, 40),
            inBody: at !== document.body,
            shown: style.outlineStyle !== "none" || style.boxShadow !== "none",
          };
        }),
      );
    }
    expect(reached[0].name).toBe("Skip to content");
    const inside = reached.filter(({ inBody }) => inBody);
    expect(inside.filter(({ shown }) => !shown)).toEqual([]);
    for (const link of ["Live", "Client", "Admin"]) {
      expect(reached.map(({ name }) => name)).toContain(link);
    }
  });
}

test("an address that leads nowhere says so", async ({ page, gateway }) => {
  const answer = await page.request.get(`${gateway.url}/no/such/page`);
  expect(answer.status()).toBe(404);
  expect(await answer.text()).toContain("<html");
});
