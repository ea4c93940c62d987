// A browser for tests. Whatever a page logs as an error, throws, or is stopped from by its content
// security policy fails the test that opened it.

import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const screenshots = join(dirname(fileURLToPath(import.meta.url)), 'screenshots');

/** @import { Browser, Page } from 'playwright-core' */

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/**
 * @typedef {object} PageOptions
 * @property {number} [width]
 * @property {number} [height]
 * @property {'light' | 'dark'} [theme]
 * @property {RegExp} [expected] complaints that this test provokes
 */

/**
 * Opens a page, runs the test with it, and closes it.
 *
 * @param {Browser} browser
 * @param {string} web the server's address
 * @param {PageOptions} options
 * @param {(page: Page) => Promise<void>} run
 */
export async function withPage(browser, web, { width = 1280, height = 800, theme = 'light', expected }, run) {
  const context = await browser.newContext({ baseURL: web, viewport: { width, height }, colorScheme: theme, timezoneId: 'Europe/Berlin', locale: 'en-US' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: web });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`content security policy: ${event.violatedDirective} stopped ${event.blockedURI || event.sample}`);
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  try {
    await run(page);
    assert.deepEqual(complaints.filter((complaint) => expected === undefined || !expected.test(complaint)), []);
  } catch (error) {
    if (complaints.length > 0) console.error(`the page complained:\n${complaints.join('\n')}`);
    throw error;
  } finally {
    await context.close();
  }
}

/**
 * @param {Page} page
 * @param {string} name
 */
export async function screenshot(page, name) {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/**
 * Puts `row` of the waterfall's canvas under the pointer.
 *
 * @param {Page} page
 * @param {RegExp | string} name of the span
 */
export async function rowBox(page, name) {
  const row = page.getByRole('treegrid').getByRole('row', { name }).first();
  await row.waitFor({ state: 'attached' });
  const box = await row.boundingBox();
  assert.ok(box !== null);
  return box;
}

/**
 * Repeats an assertion until it holds: the page shows what a key or a click did in a later frame. The last failure is thrown after five seconds.
 * @param {() => Promise<void>} assertion
 */
export async function eventually(assertion) {
  const deadline = performance.now() + 5000;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
