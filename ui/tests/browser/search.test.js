import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { checkout } from '../support/shop.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const TRACES = 33;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const now = BigInt(Date.now()) * 1_000_000n;
  const spans = [];
  for (let at = 0; at < TRACES; at++) {
    // One every ten minutes; every seventh fails, every tenth is slow.
    spans.push(...checkout(at + 1, now - BigInt(at) * 600_000_000_000n - 5_000_000_000n, { fails: at % 7 === 2, slow: at % 10 === 4 }));
  }
  await server.feed(spans);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {import('playwright-core').Page} page */
const items = (page) => page.locator('.trace-item');

test('the newest traces come first, and “load more” reaches all of them', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await items(page).first().waitFor();
    assert.equal(await items(page).count(), 20);
    const times = await page.locator('.trace-item time').allTextContents();
    assert.deepEqual(times, [...times].sort().reverse());
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.getByText('That is all.').waitFor();
    assert.equal(await items(page).count(), TRACES);
    const links = await items(page).locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    assert.equal(new Set(links).size, TRACES);
  });
});

test('what is shown is downloaded: so many traces of this search, in the format that is chosen', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/search?status=error');
    await items(page).first().waitFor();
    const shown = await items(page).count();
    assert.ok(shown > 1 && shown < TRACES);
    await page.getByTitle('Download the traces that this search finds').click();
    await screenshot(page, 'search-downloads');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Jaeger JSON' }).click()]);
    const traces = JSON.parse(await readFile(await download.path(), 'utf8')).data;
    assert.equal(traces.length, shown);
  });
});

test('from the search to a result, its waterfall, a span, its detail, and back to the list', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await items(page).nth(3).locator('a').click();
    await page.waitForURL(/\/trace\/[0-9a-f]{32}$/);
    const grid = page.getByRole('treegrid');
    await grid.getByRole('row', { name: /placeOrder/ }).waitFor({ state: 'attached' });
    const box = await grid.getByRole('row', { name: /placeOrder/ }).boundingBox();
    assert.ok(box !== null);
    await page.mouse.click(box.x + 120, box.y + box.height / 2);
    const panel = page.getByRole('complementary', { name: 'Span detail' });
    await panel.getByText('order.id').first().waitFor();
    assert.match(await panel.innerText(), /placeOrder/);
    await page.getByRole('link', { name: 'Back to the search' }).click();
    await items(page).first().waitFor();
    // The browser tells of the new address later than it shows the list.
    await page.waitForURL((url) => url.pathname === '/');
  });
});

test('the form searches by service, status, duration and attribute, and the URL says so', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await items(page).first().waitFor();
    await page.getByLabel('Service').fill('checkout');
    await page.getByLabel('Status').selectOption('error');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.waitForURL('**/search?service=checkout&status=error');
    await page.getByRole('heading', { name: '5 traces' }).waitFor();

    await page.getByLabel('Attributes').fill('order.id=o-3');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByRole('heading', { name: '1 trace' }).waitFor();
    await page.waitForURL(/attr=order\.id/);

    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await page.getByRole('heading', { name: '20 traces so far' }).waitFor();
    await page.getByLabel('Min duration').fill('700ms');
    await page.getByLabel('Min duration').press('Enter');
    assert.equal(await page.getByLabel('Min duration').evaluate((field) => field === document.activeElement), true);
    await page.getByRole('heading', { name: /^[34] traces$/ }).waitFor();
  });
});

test('a link restores the whole search', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/search?service=payment&name=POST+%2Fcharge&min_duration=1ms&status=unset&kind=server&range=1h&limit=50');
    await items(page).first().waitFor();
    assert.equal(await page.getByLabel('Service').inputValue(), 'payment');
    assert.equal(await page.getByLabel('Operation').inputValue(), 'POST /charge');
    assert.equal(await page.getByLabel('Min duration').inputValue(), '1ms');
    assert.equal(await page.getByLabel('Kind').inputValue(), 'server');
    assert.equal(await page.getByRole('combobox', { name: 'Time' }).inputValue(), '1h');
    assert.equal(await page.getByLabel('Traces per page').inputValue(), '50');
    assert.equal(await items(page).count(), 6);
  });
});

test('services and operations are offered for completion', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await page.locator('#service-names option[value="payment"]').waitFor({ state: 'attached' });
    await page.getByLabel('Service').fill('payment');
    await page.locator('#operation-names option[value="POST /charge"]').waitFor({ state: 'attached' });
    await page.locator('#operation-names option[value="placeOrder"]').waitFor({ state: 'detached' });
  });
});

test('a search that can’t be understood is refused at its field', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/search?attr=lonely&min_duration=soon');
    await page.getByText('“lonely” has no operator').waitFor();
    await page.getByText('Write a number and a unit').waitFor();
  });
});

test('nothing found says why that may be and offers a way out', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/search?service=nobody&range=15m');
    await page.getByRole('heading', { name: 'No trace matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await items(page).first().waitFor();
  });
});

test('a point of the scatter plot opens its trace, a drag narrows the time', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    const canvas = page.locator('.scatter canvas');
    await canvas.waitFor();
    const box = await canvas.boundingBox();
    assert.ok(box !== null);
    await page.mouse.move(box.x + box.width * 0.55, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: 5 });
    await page.mouse.move(box.x + box.width - 20, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/start=.*end=/);
    await page.getByRole('heading', { name: /^\d traces$|^1\d traces$/ }).waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Time' }).inputValue(), 'custom');

    const target = await page.locator('.scatter-plot').boundingBox();
    assert.ok(target !== null);
    // The points are found by moving over the plot until one answers.
    scan: for (let x = 60; x < target.width - 14; x += 4) {
      for (let y = 12; y < 140; y += 8) {
        await page.mouse.move(target.x + x, target.y + y);
        if ((await page.locator('.scatter .tip').count()) > 0) break scan;
      }
    }
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL(/\/trace\//);
  });
});

test('a trace id opens its trace; what is none is said at once', async () => {
  await withPage(browser, server.web, { expected: /404/ }, async (page) => {
    await page.goto('/');
    const box = page.getByRole('textbox', { name: 'Trace id' });
    await box.fill('not an id');
    await box.press('Enter');
    await page.getByText('up to 32 hexadecimal digits').waitFor();
    await box.fill('C0FFEE00000000000000000000000003');
    await box.press('Enter');
    await page.waitForURL('**/trace/c0ffee00000000000000000000000003');
    await page.getByRole('treegrid').waitFor();
    await box.fill('dead');
    await box.press('Enter');
    await page.getByRole('heading', { name: 'No such trace' }).waitFor();
    await screenshot(page, 'trace-not-found');
  });
});

test('a server that is gone is said, and found again', async () => {
  await withPage(browser, server.web, { expected: /ERR_FAILED|Failed to load/ }, async (page) => {
    await page.goto('/');
    await items(page).first().waitFor();
    await page.route('**/api/v1/search?**', (route) => route.abort());
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
    await page.unroute('**/api/v1/search?**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await items(page).first().waitFor();
  });
});

test('a search that the server refuses shows what the server says', async () => {
  await withPage(browser, server.web, { expected: /400|503/ }, async (page) => {
    await page.route('**/api/v1/search?**', (route) =>
      route.fulfill({ status: 400, json: { error: { code: 'invalid_argument', message: 'limit: 5000 is above 1000' } } }),
    );
    await page.goto('/');
    await page.getByText('limit: 5000 is above 1000').waitFor();
    await page.unroute('**/api/v1/search?**');
    await page.route('**/api/v1/search?**', (route) =>
      route.fulfill({ status: 503, headers: { 'retry-after': '2' }, json: { error: { code: 'unavailable', message: 'the queue is full' } } }),
    );
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'The server is overloaded' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /Try again in/ }).isDisabled(), true);
  });
});

test('what was cut short says so', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.route('**/api/v1/search?**', async (route) => {
      const answer = await (await route.fetch()).json();
      for (const trace of answer.traces) trace.truncated = true;
      await route.fulfill({ json: { ...answer, truncated: true } });
    });
    await page.route('**/skeleton', async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, truncated: true } });
    });
    await page.goto('/');
    await page.getByText('met its limit of time').waitFor();
    await page.getByText('over 16 spans').first().waitFor();
    await items(page).first().locator('a').click();
    await page.getByText('more spans than the server gives at once').waitFor();
  });
});

test('an unknown page says so', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await page.goto('/');
    await items(page).first().waitFor();
    await page.evaluate(() => history.pushState(null, '', '/nowhere'));
    await page.evaluate(() => window.dispatchEvent(new PopStateEvent('popstate')));
    await page.getByRole('heading', { name: 'There is no page here' }).waitFor();
  });
});
