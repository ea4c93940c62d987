import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { eventually, rowBox, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { checkout } from '../support/shop.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const spans = checkout(1, 1_790_000_000_000_000_000n, { fails: true });
const [{ traceId }] = spans;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  await server.feed(spans);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {import('playwright-core').Page} page */
const grid = (page) => page.getByRole('treegrid');
/** @param {import('playwright-core').Page} page */
const rows = (page) => grid(page).getByRole('row');
/** @param {import('playwright-core').Page} page */
const panel = (page) => page.getByRole('complementary', { name: 'Span detail' });

/** The row that the keyboard is at. @param {import('playwright-core').Page} page */
const activeRow = (page) => grid(page).locator('[aria-selected="true"]');

/** Waits until the keyboard is at the row: rows are drawn in the frame after a key. @param {import('playwright-core').Page} page @param {string} text */
const activeRowIs = (page, text) => activeRow(page).filter({ hasText: text }).waitFor({ state: 'attached' });

/** Waits until keys go to the treegrid, which gets the focus once the trace is there. @param {import('playwright-core').Page} page */
const keyboardIsReady = (page) => page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'treegrid');

/** @param {import('playwright-core').Page} page @param {string} [query] */
async function open(page, query = '') {
  await page.goto(`/trace/${traceId}${query}`);
  await rows(page).first().waitFor({ state: 'attached' });
}

test('the treegrid tells what the canvas shows', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    assert.equal(await rows(page).count(), spans.length);
    assert.equal(await grid(page).getAttribute('aria-rowcount'), String(spans.length));
    const order = rows(page).filter({ hasText: 'placeOrder' });
    assert.equal(await order.getAttribute('aria-level'), '3');
    assert.equal(await order.getAttribute('aria-expanded'), 'true');
    assert.equal(await order.getAttribute('aria-rowindex'), '3');
    assert.match((await order.textContent()) ?? '', /checkout.*server, error, exception, 1 event/);
    const leaf = rows(page).filter({ hasText: 'HGETALL' });
    assert.equal(await leaf.getAttribute('aria-expanded'), null);
    const levels = await rows(page).evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-rowindex'))));
    assert.deepEqual(levels, [...levels].sort((a, b) => a - b));
  });
});

test('a span’s detail is opened, followed and closed by the keyboard alone', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await keyboardIsReady(page);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await activeRowIs(page, 'placeOrder');
    assert.equal(await grid(page).getAttribute('aria-activedescendant'), await activeRow(page).getAttribute('id'));
    await page.keyboard.press('Enter');
    await panel(page).getByText('order.total').waitFor();
    assert.match(await panel(page).innerText(), /TypeError/);
    await page.keyboard.press('ArrowDown');
    await panel(page).getByText('GET /cart/{id}').first().waitFor();
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'detached' });
    assert.equal(await grid(page).evaluate((element) => element === document.activeElement), true);
  });
});

test('every control of the page is reached by Tab, none of them is a trap', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await page.keyboard.press('Enter');
    const seen = new Set();
    for (let step = 0; step < 40; step++) {
      await page.keyboard.press('Tab');
      seen.add(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent));
    }
    for (const wanted of ['Find in this trace', 'Spans of the trace', 'Collapse all', 'Trace id']) assert.ok(seen.has(wanted), wanted);
  });
});

test('branches collapse and expand by the keyboard, by the mouse and all at once', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await keyboardIsReady(page);
    const count = async () => Number(await grid(page).getAttribute('aria-rowcount'));
    const eventually = async (/** @type {number} */ wanted) => {
      await page.waitForFunction((n) => document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount') === String(n), wanted);
      assert.equal(await count(), wanted);
    };
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowLeft');
    await eventually(1);
    await page.keyboard.press('ArrowRight');
    await eventually(spans.length);

    const box = await rowBox(page, /placeOrder/);
    await page.mouse.click(box.x + 44, box.y + box.height / 2);
    await eventually(3);
    await page.waitForFunction((id) => location.search === `?closed=${id}`, spans[2].spanId);
    await page.reload();
    await eventually(3);

    await page.getByRole('button', { name: 'Collapse all' }).click();
    await eventually(1);
    await page.getByRole('button', { name: 'Expand all' }).click();
    await eventually(spans.length);
  });
});

test('find goes from match to match, opens what hides them, and is in the URL', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await page.keyboard.press('c');
    await page.keyboard.press('/');
    await page.keyboard.type('stock');
    const count = page.locator('.find-count');
    await page.waitForFunction(() => document.querySelector('.find-count')?.textContent === '6');
    await page.keyboard.press('Enter');
    await eventually(async () => assert.equal(await count.textContent(), '1 of 6'));
    await page.keyboard.press('Enter');
    await eventually(async () => assert.equal(await count.textContent(), '2 of 6'));
    await activeRowIs(page, 'SELECT stock.items');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Shift+N');
    await eventually(async () => assert.equal(await count.textContent(), '1 of 6'));
    await page.waitForFunction(() => location.search.includes('find=stock'));
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.querySelector('.find-count')?.textContent === '');
  });
});

test('a span is found by its id', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, `?find=${spans[2].spanId}`);
    assert.equal(await page.locator('.find-count').textContent(), '1');
  });
});

test('“next error” goes from failed span to failed span', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    for (const row of [1, 2, 3, 1]) {
      await page.keyboard.press('e');
      await grid(page).locator(`[aria-selected="true"][aria-rowindex="${row}"]`).waitFor({ state: 'attached' });
    }
    await page.keyboard.press('Shift+E');
    await grid(page).locator('[aria-selected="true"][aria-rowindex="3"]').waitFor({ state: 'attached' });
  });
});

test('a link restores span, zoom, find and what is collapsed', async () => {
  const order = spans[2];
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, `?span=${order.spanId}&find=cart&from=1000000&to=50000000&closed=${spans[3].spanId}`);
    await panel(page).getByText('order.id').first().waitFor();
    assert.equal(await grid(page).getAttribute('aria-rowcount'), String(spans.length - 1));
    assert.equal(await page.getByLabel('Find in this trace').last().inputValue(), 'cart');
    await page.getByRole('button', { name: 'Reset zoom' }).click();
    await page.waitForFunction(() => !location.search.includes('from='));
    await page.waitForURL(new RegExp(`span=${order.spanId}`));
  });
});

test('dragging on the overview zooms, a double click shows all again', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    const box = await page.locator('.overview canvas').boundingBox();
    assert.ok(box !== null);
    await page.mouse.move(box.x + 200, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 420, box.y + 25, { steps: 6 });
    await page.mouse.up();
    await page.waitForFunction(() => location.search.includes('from='));
    const first = new URLSearchParams(await page.evaluate(() => location.search));
    // The selection is moved as a whole.
    await page.mouse.move(box.x + 300, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 20, { steps: 6 });
    await page.mouse.up();
    await page.waitForFunction((from) => !location.search.includes(`from=${from}&`), first.get('from'));
    const second = new URLSearchParams(await page.evaluate(() => location.search));
    assert.equal(Number(second.get('to')) - Number(second.get('from')), Number(first.get('to')) - Number(first.get('from')));
    await page.mouse.dblclick(box.x + 900, box.y + 20);
    await page.waitForFunction(() => !location.search.includes('from='));
  });
});

test('an exception is shown first, with its stack as it was sent', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, `?span=${spans[2].spanId}`);
    const exception = panel(page).getByRole('region', { name: 'Exception' });
    await exception.waitFor();
    assert.match(await exception.locator('.frame').first().innerText(), /priceOf\s\/srv\/checkout\/dist\/pricing\.8f31c\.js:1:20431/);
    await exception.getByRole('button', { name: 'Text', exact: true }).click();
    assert.match(await exception.getByRole('region', { name: 'Raw stack trace' }).locator('pre').innerText(), /^TypeError: Cannot read.*\n {4}at priceOf \(\/srv\/checkout/);
    assert.equal(await panel(page).locator('.section').first().locator('h3').textContent(), 'Attributes');
  });
});

test('the detail leads to the parent, to linked spans, and to traces with the same value', async () => {
  const mail = spans.find((span) => span.name === 'orders process');
  assert.ok(mail !== undefined);
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, `?span=${mail.spanId}`);
    await panel(page).getByTitle('Go to the parent').click();
    await panel(page).getByRole('heading', { name: 'orders publish' }).waitFor();
    await page.getByRole('row', { name: /orders process/ }).waitFor({ state: 'attached' });
    await open(page, `?span=${mail.spanId}`);
    const link = panel(page).locator('.links a');
    assert.equal(await link.getAttribute('href'), `/trace/${traceId}?span=${spans[2].spanId}`);
    await link.click();
    await panel(page).getByRole('heading', { name: 'placeOrder' }).waitFor();
    const find = panel(page).getByRole('link', { name: 'Find traces with this value' }).first();
    assert.match((await find.getAttribute('href')) ?? '', /^\/search\?attr=span\.order\.id/);
    await eventually(async () => {
      // Where the panel moves just then, a click hits nothing, and is made again.
      if (page.url().includes('/trace/')) await find.click();
      assert.match(page.url(), /\/search\?attr=span\.order\.id/);
    });
    await page.getByRole('heading', { name: '1 trace' }).waitFor();
  });
});

test('ids are copied as they are', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await page.getByRole('button', { name: 'Copy the trace id' }).click();
    await eventually(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), traceId));
  });
});

test('times are shown in the browser’s zone and in UTC', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    const start = page.locator('.trace-header time');
    const local = await start.textContent();
    await page.getByRole('button', { name: /Show them in UTC/ }).click();
    await eventually(async () => assert.match((await start.textContent()) ?? '', / UTC$/));
    assert.notEqual(local, await start.textContent());
    await page.reload();
    await eventually(async () => assert.match((await start.textContent()) ?? '', / UTC$/));
  });
});

test('“?” lists the keys and gives the focus back', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowDown');
    await eventually(async () => assert.equal(await activeRow(page).count(), 1));
  });
});

test('the chosen theme is remembered', async () => {
  await withPage(browser, server.web, { theme: 'light' }, async (page) => {
    await open(page);
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.getByRole('button', { name: /Switch to light/ }).click();
    await page.getByRole('button', { name: /Switch to dark/ }).click();
    assert.notEqual(await background(), light);
    await page.reload();
    assert.notEqual(await background(), light);
  });
});

test('on a phone the detail is a sheet over the waterfall', async () => {
  await withPage(browser, server.web, { width: 390, height: 844 }, async (page) => {
    await open(page);
    const box = await rowBox(page, /gateway/);
    await page.mouse.click(box.x + 100, box.y + 10);
    await panel(page).getByText('http.route').first().waitFor();
    const sheet = await panel(page).boundingBox();
    assert.ok(sheet !== null && sheet.width >= 388 && sheet.y > 100 && sheet.height > 400);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
    const row = await rowBox(page, /gateway/);
    assert.ok(row.y > 52 && row.y + row.height <= sheet.y, 'the selected row stays in view above the sheet');
    await page.getByRole('button', { name: 'Close the detail' }).click();
    await panel(page).waitFor({ state: 'detached' });
  });
});

test('the trace is downloaded in the format that is chosen', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    /** @param {string} label */
    const file = async (label) => {
      await page.getByTitle('Download this trace').click();
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: label }).click()]);
      assert.match(download.suggestedFilename(), new RegExp(`${traceId}.*\\.json$`));
      return JSON.parse(await readFile(await download.path(), 'utf8'));
    };
    const otlp = await file('OTLP JSON');
    /** @type {{ scopeSpans: { spans: unknown[] }[] }[]} */
    const resources = otlp.resourceSpans;
    assert.equal(resources.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans)).length, spans.length);
    assert.equal((await file('Jaeger JSON')).data[0].spans.length, spans.length);
    assert.equal((await file('Zipkin JSON')).length, spans.length);
  });
});

test('the menu of downloads is left with Escape and by going elsewhere', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await keyboardIsReady(page);
    const menu = page.getByTitle('Download this trace');
    const first = page.getByRole('link', { name: 'OTLP JSON' });
    await menu.focus();
    await page.keyboard.press('Enter');
    await first.waitFor();
    await page.keyboard.press('Escape');
    await first.waitFor({ state: 'hidden' });
    assert.equal(await menu.evaluate((element) => document.activeElement === element), true);
    await page.keyboard.press('Enter');
    await first.waitFor();
    await page.getByPlaceholder('Trace id').focus();
    await first.waitFor({ state: 'hidden' });
  });
});
