// Large traces: what the page promises of its speed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { batchJob } from '../support/shop.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const LONGEST_TASK_MS = 50;
const start = 1_790_000_000_000_000_000n;
const ten = batchJob(1, start, 10_000);
const hundred = batchJob(2, start + 3_600_000_000_000n, 100_000);

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  await server.feed(ten);
  await server.feed(hundred);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {import('playwright-core').Page} page @param {string} traceId */
async function open(page, traceId) {
  await page.goto(`/trace/${traceId}`);
  await page.getByRole('treegrid').getByRole('row').first().waitFor({ state: 'attached' });
  // What belongs to loading is over when the browser has been idle.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve, 300))));
}

/**
 * The long tasks of the page, and the frames, while `act` runs.
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<void>} act
 */
async function measured(page, act) {
  await page.evaluate(() => {
    const record = { tasks: /** @type {number[]} */ ([]), frames: /** @type {number[]} */ ([]), running: true };
    Reflect.set(window, 'record', record);
    const observer = new PerformanceObserver((list) => record.tasks.push(...list.getEntries().map((entry) => entry.duration)));
    observer.observe({ type: 'longtask', buffered: false });
    let last = performance.now();
    const frame = (/** @type {number} */ now) => {
      record.frames.push(now - last);
      last = now;
      if (record.running) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await act();
  await page.waitForTimeout(300);
  return page.evaluate(() => {
    const record = /** @type {{ tasks: number[], frames: number[], running: boolean }} */ (Reflect.get(window, 'record'));
    record.running = false;
    return record;
  });
}

/** @param {import('playwright-core').Page} page */
async function scroll(page) {
  const box = await page.getByRole('treegrid').boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let turn = 0; turn < 40; turn++) {
    await page.mouse.wheel(0, turn % 8 === 7 ? -4000 : 700);
    await page.waitForTimeout(20);
  }
}

/**
 * A machine that is busy with something else makes any task long: a page that is too slow is too slow
 * three times in a row.
 *
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<void>} act
 */
async function assertSmooth(page, act) {
  /** @type {number[]} */
  let tasks = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const record = await measured(page, act);
    tasks = record.tasks.filter((duration) => duration > LONGEST_TASK_MS);
    const frames = record.frames.sort((a, b) => a - b);
    console.log(`# ${frames.length} frames, 95 % under ${frames[Math.floor(frames.length * 0.95)].toFixed(1)} ms, tasks over ${LONGEST_TASK_MS} ms: ${tasks.length}`);
    if (tasks.length === 0) return;
  }
  assert.deepEqual(tasks, []);
}

test('scrolling 10,000 spans has no task over 50 ms', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, ten[0].traceId);
    await assertSmooth(page, () => scroll(page));
  });
});

test('moving through 10,000 spans by the keyboard, zooming and collapsing have no task over 50 ms', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, ten[0].traceId);
    await assertSmooth(page, async () => {
      for (const key of ['PageDown', 'PageDown', 'End', 'Home', '+', '+', 'Shift+ArrowRight', '0', 'ArrowDown', 'f', 'c', 'x', 'e', 'e']) {
        await page.keyboard.press(key);
        await page.waitForTimeout(30);
      }
    });
  });
});

test('a trace of 100,000 spans opens and scrolls without a task over 50 ms', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const began = Date.now();
    await page.goto(`/trace/${hundred[0].traceId}`);
    await page.getByRole('treegrid').getByRole('row').first().waitFor({ state: 'attached' });
    console.log(`# open after ${Date.now() - began} ms`);
    assert.equal(await page.getByRole('treegrid').getAttribute('aria-rowcount'), '100000');
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve, 300))));
    await assertSmooth(page, () => scroll(page));
    assert.ok((await page.getByRole('treegrid').getByRole('row').count()) < 100, 'only the rows in view are in the document');
    await page.keyboard.press('End');
    await page.locator('[aria-selected="true"][aria-rowindex="100000"]').waitFor({ state: 'attached' });
    await screenshot(page, 'large-100000');
  });
});

test('find in 100,000 spans answers while one types', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, hundred[0].traceId);
    await assertSmooth(page, async () => {
      await page.keyboard.press('/');
      await page.keyboard.type('catalog', { delay: 40 });
      await page.keyboard.press('Enter');
      await page.keyboard.press('Escape');
    });
  });
});
