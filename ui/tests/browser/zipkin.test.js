// Real traces of Zipkin's users, sent to Zipkin's port and shown.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';

/** @typedef {{ traceId: string, id: string, name?: string, kind?: string, shared?: boolean, localEndpoint?: { serviceName?: string } }} ZipkinSpan */

/** Where they come from, and their licence, stand beside them. */
const fixtures = new URL('../../../crates/server/tests/fixtures/zipkin/', import.meta.url);

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Map<string, ZipkinSpan[]>} */
const traces = new Map();

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  for (const name of ['ascend', 'messaging-kafka', 'skew', 'smartthings-mobile-web-install']) {
    const body = await readFile(new URL(`${name}.json`, fixtures), 'utf8');
    const response = await fetch(server.zipkin, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    assert.equal(response.status, 202, await response.text());
    traces.set(name, JSON.parse(body));
  }
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {string} name */
const spansOf = (name) => traces.get(name) ?? [];

/** @param {import('playwright-core').Page} page @param {string} name */
async function open(page, name) {
  await page.goto(`/trace/${spansOf(name)[0].traceId}`);
  await page.getByRole('treegrid').getByRole('row').first().waitFor({ state: 'attached' });
}

for (const name of ['ascend', 'messaging-kafka', 'skew', 'smartthings-mobile-web-install']) {
  test(`${name}: every span and every service is shown`, async () => {
    const spans = spansOf(name);
    await withPage(browser, server.web, {}, async (page) => {
      await open(page, name);
      assert.equal(await page.getByRole('treegrid').getAttribute('aria-rowcount'), String(spans.length));
      const services = new Set(spans.map((span) => span.localEndpoint?.serviceName ?? ''));
      const facts = await page.locator('.facts').innerText();
      assert.match(facts, new RegExp(`Services\\s+${services.size}\\b`));
      await page.waitForTimeout(250);
      await screenshot(page, `zipkin-${name}`);
    });
  });
}

test('both halves of a call stand one below the other', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, 'skew');
    const rows = page.getByRole('treegrid').getByRole('row');
    const levels = await rows.evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-level'))));
    assert.deepEqual(levels, [1, 2, 3, 4]);
    const texts = await rows.allTextContents();
    assert.match(texts[1], /post.*servicea.*client/s);
    assert.match(texts[2], /post.*serviceb.*server/s);
    assert.match(texts[3], /async.*serviceb/s);
    // The server's clock is behind: that is said, and times stay as they were sent.
    await page.getByText('remarks on this trace').click();
    await page.getByText('the clocks of two machines disagree').waitFor();
  });
});

test('a span’s detail has its tags and its remote endpoint', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, 'messaging-kafka');
    await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'treegrid');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'Span detail' });
    await panel.getByText('kafka.topic').waitFor();
    assert.match(await panel.innerText(), /peer\.service\s+kafka/);
    assert.match(await panel.innerText(), /consumer/i);
  });
});
