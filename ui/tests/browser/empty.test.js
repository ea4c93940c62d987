import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { checkout } from '../support/shop.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('before the first span there are snippets to copy; with it, the trace is there by itself', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await page.getByRole('heading', { name: 'Send your first span' }).waitFor();
    const { listeners } = await (await fetch(`${server.web}/api/v1/status`)).json();
    const otlp = listeners.find((/** @type {any} */ listener) => listener.name === 'otlp-http').address;
    for (const name of ['Node', 'Node (Jaeger)', 'Python', 'Rust', 'Go', 'Java']) {
      await page.getByRole('tab', { selected: true }).focus();
      await page.keyboard.press('ArrowRight');
      await page.getByRole('tab', { name, exact: true, selected: true }).waitFor();
      const code = await page.getByRole('tabpanel').locator('pre').innerText();
      if (name !== 'Node (Jaeger)') assert.ok(code.includes(otlp), name);
      await page.getByRole('button', { name: 'Copy the code' }).click();
      await eventually(async () => assert.equal((await page.evaluate(() => navigator.clipboard.readText())).trim(), code.trim()));
    }
    await screenshot(page, 'empty-1280-light');
    await server.feed(checkout(1, BigInt(Date.now()) * 1_000_000n));
    await page.locator('.trace-item').first().waitFor();
    await page.getByRole('heading', { name: '1 trace' }).waitFor();
  });
});
