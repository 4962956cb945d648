// Waiting for a condition, with a limit and a sentence.

/**
 * Calls `condition` until what it gives is truthy, and returns that.
 * @template T
 * @param {string} what what is waited for, for the message when it never comes
 * @param {() => T | Promise<T>} condition
 * @param {{ limit?: number, every?: number, detail?: () => string }} [options] milliseconds
 * @returns {Promise<T>}
 */
export async function until(what, condition, { limit = 15_000, every = 25, detail } = {}) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) {
      throw new Error(`waited ${limit} ms in vain for ${what}${detail ? `\n${detail()}` : ""}`);
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
