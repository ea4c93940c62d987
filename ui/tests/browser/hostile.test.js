// Whatever a span says is text: nothing of it runs, and nothing of it breaks the page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { hexId } from '../support/otlp.js';

/** @import { SpanDraft } from '../support/otlp.js' */

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const MS = 1e6;
const START = 1_790_000_000_000_000_000n;
const script = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><svg onload=window.hacked=1>';
const overridden = 'invoice\u202egpj.exe';
const megabyte = `${'lorem ipsum dolor '.repeat(58_000)}end`;

/**
 * @param {number} number
 * @param {Partial<SpanDraft>[]} drafts each the child of the first, unless it names its parent
 * @returns {SpanDraft[]}
 */
function trace(number, drafts) {
  return drafts.map((draft, at) => ({
    service: 'odd',
    name: `span ${at}`,
    traceId: `0dd${hexId(number, 29)}`,
    spanId: hexId(number * 100_000 + at + 1, 16),
    ...(at === 0 ? {} : { parent: hexId(number * 100_000 + 1, 16) }),
    start: START + BigInt(number) * 60_000_000_000n + BigInt(at) * 1_000_000n,
    duration: 10 * MS,
    ...draft,
  }));
}

const hostile = trace(1, [
  {
    name: script,
    service: `${script} shop`,
    error: true,
    message: script,
    attributes: {
      [script]: script,
      'a.nul': 'before\u0000after',
      'a.rtl': overridden,
      'a.arabic': 'مرحبا بالعالم',
      'a.megabyte': megabyte,
      'a.lines': 'line\n'.repeat(5000),
      'a.url': 'javascript:window.hacked=1',
      'a.proto': '__proto__',
      __proto__x: 1,
      constructor: 'x',
      'a.list': [script, 1, true, 2.5, null],
      'a.map': { [script]: { deep: [script] } },
      'a.bytes': new Uint8Array([0, 255, 60]),
      'a.empty': '',
      'a.big': 9_007_199_254_740_993n,
    },
    events: [{ name: 'exception', attributes: { 'exception.type': script, 'exception.message': script, 'exception.stacktrace': `${script}\n  at x` } }, { name: script, attributes: { [script]: script } }],
    links: [{ traceId: hexId(7, 32), spanId: hexId(7, 16), attributes: { [script]: script } }],
    resource: { [script]: script },
  },
  { name: overridden },
  { name: 'x'.repeat(100_000) },
  { name: 'nul\u0000name' },
  { name: '' },
]);

const alone = trace(2, [{ name: 'alone', duration: 0 }]);
const instants = trace(3, [{ duration: 0 }, { duration: 0 }, { duration: 0 }]);
const orphans = trace(4, Array.from({ length: 30 }, (_, at) => ({ parent: hexId(0xdead00 + at, 16), name: `orphan ${at}` })));
const services = trace(5, Array.from({ length: 500 }, (_, at) => ({ service: `service-${at}-of-a-rather-long-name` })));
const deep = trace(6, Array.from({ length: 10_000 }, (_, at) => ({ name: `level ${at}`, duration: (10_000 - at) * MS, ...(at === 0 ? {} : { parent: hexId(600_000 + at, 16) }) })));
const skewed = trace(7, [{ name: 'server' }, { name: 'early child', start: START + 7n * 60_000_000_000n - 4_000_000n }]);

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  for (const spans of [hostile, alone, instants, orphans, services, deep, skewed]) await server.feed(spans);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {import('playwright-core').Page} page @param {SpanDraft[]} spans @param {string} [query] */
async function open(page, spans, query = '') {
  await page.goto(`/trace/${spans[0].traceId}${query}`);
  await page.getByRole('treegrid').getByRole('row').first().waitFor({ state: 'attached' });
}

/** @param {import('playwright-core').Page} page */
async function assertNothingRan(page) {
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => Reflect.get(window, 'hacked')), undefined);
  assert.equal(await page.locator('#app img, #app script').count(), 0);
}

/**
 * The waterfall scrolls inside of the window, however many rows it has.
 * @param {import('playwright-core').Page} page
 */
async function assertFitsWindow(page) {
  await page.waitForTimeout(200);
  const { canvas, rows, window: height } = await page.evaluate(() => ({
    canvas: document.querySelector('.wf-canvas')?.clientHeight ?? 0,
    rows: document.querySelectorAll('.wf-row').length,
    window: window.innerHeight,
  }));
  assert.ok(canvas > 100 && canvas < height, `a canvas of ${canvas} in a window of ${height} pixels`);
  assert.ok(rows < 60, `${rows} rows in the document`);
}

test('markup in names and services of the list is text', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await page.locator('.trace-item').first().waitFor();
    await page.locator('.trace-item', { hasText: '<script>' }).waitFor();
    await assertNothingRan(page);
    await screenshot(page, 'hostile-search');
  });
});

test('markup in every part of a span is text', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, hostile, `?span=${hostile[0].spanId}`);
    const panel = page.getByRole('complementary', { name: 'Span detail' });
    await panel.getByRole('region', { name: 'Exception' }).waitFor();
    const closed = panel.locator('details:not([open]) > summary');
    while ((await closed.count()) > 0) await closed.first().click();
    const text = await panel.innerText();
    assert.ok(text.includes(script));
    assert.ok(text.includes('before⟨U+0000⟩after'));
    assert.ok(text.includes('invoice⟨U+202E⟩gpj.exe'));
    assert.ok(text.includes('9007199254740993'));
    assert.equal(await panel.locator('a[href^="javascript"]').count(), 0);
    await assertNothingRan(page);
    await screenshot(page, 'hostile-detail');
  });
});

test('a value of a megabyte is folded, shown by parts, and copied whole', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, hostile, `?span=${hostile[0].spanId}`);
    const panel = page.getByRole('complementary', { name: 'Span detail' });
    const attribute = panel.locator('.attribute').filter({ hasText: 'a.megabyte' });
    await attribute.waitFor();
    assert.ok(((await attribute.locator('pre').textContent()) ?? '').length < 1000);
    await attribute.getByRole('button', { name: /Show more \(1,044,003 characters\)/ }).click();
    await page.waitForFunction(() => [...document.querySelectorAll('.attribute pre')].some((pre) => (pre.textContent ?? '').length > 50_000));
    await attribute.getByRole('button', { name: 'Copy the value' }).click();
    await attribute.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(async () => (await navigator.clipboard.readText()).length), megabyte.length);
  });
});

test('attributes are filtered by name and value', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, hostile, `?span=${hostile[0].spanId}`);
    await page.getByLabel('Filter attributes').fill('a.big');
    await page.waitForFunction(() => document.querySelectorAll('.span-detail > .section:first-of-type .attribute').length === 1);
  });
});

test('one span, and spans that last no time', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, alone);
    assert.equal(await page.getByRole('treegrid').getByRole('row').count(), 1);
    await page.keyboard.press('+');
    await page.keyboard.press('f');
    await screenshot(page, 'odd-one-span');
    await open(page, instants);
    assert.equal(await page.getByRole('treegrid').getByRole('row').count(), 3);
    await page.keyboard.press('+');
    await page.keyboard.press('-');
  });
});

test('a trace of nothing but orphans says what is missing', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, orphans);
    await page.getByText('30 spans name parents that are not here').waitFor();
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('30 spans name parents that are not here').waitFor();
    await page.getByRole('row', { name: /orphan 3.*parent missing/ }).first().waitFor({ state: 'attached' });
    await screenshot(page, 'odd-orphans');
  });
});

test('a clock that is wrong is shown as such', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, skewed);
    await page.getByRole('row', { name: /early child.*starts before its parent/ }).waitFor({ state: 'attached' });
    await screenshot(page, 'odd-skew');
  });
});

test('500 services stay out of the way', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, services);
    const waterfall = await page.getByRole('treegrid').boundingBox();
    assert.ok(waterfall !== null && waterfall.height > 300);
    await page.getByRole('button', { name: '+488 more' }).click();
    await screenshot(page, 'odd-services');
  });
});

test('a chain of 10,000 spans is readable at its end', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, deep);
    await page.keyboard.press('End');
    await page.getByRole('row', { name: /level 9999/ }).waitFor({ state: 'attached' });
    assert.equal(await page.locator('[aria-selected="true"]').getAttribute('aria-level'), '10000');
    await screenshot(page, 'odd-deep');
    await page.keyboard.press('c');
    await page.waitForFunction(() => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === '1');
  });
});

test('odd traces fit a phone', async () => {
  for (const spans of [hostile, orphans, services, deep]) {
    await withPage(browser, server.web, { width: 390, height: 844, theme: 'dark' }, async (page) => {
      await open(page, spans, `?span=${spans[0].spanId}`);
      await page.locator('.span-detail').waitFor();
      await assertFitsWindow(page);
      await page.getByRole('button', { name: 'Close the detail' }).click();
      await assertFitsWindow(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
      await screenshot(page, `odd-phone-${spans[0].traceId.slice(-1)}`);
    });
  }
});
