// How it looks: pictures for people, and contrast for the machine.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { build, crash } from '../support/crash.js';
import { batchJob, checkout } from '../support/shop.js';
import { upload } from '../support/uploads.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const now = BigInt(Date.now()) * 1_000_000n;
const failed = checkout(3, now - 130_000_000_000n, { fails: true });
const crashed = crash(1, 'orders', { start: now - 20_000_000_000n });
const batch = batchJob(1, now - 600_000_000_000n, 10_000);

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const spans = [...failed];
  for (let at = 0; at < 60; at++) {
    spans.push(...checkout(at + 10, now - BigInt(at) * 47_000_000_000n, { slow: at % 11 === 3, fails: at % 9 === 6 }));
  }
  await upload(server.web, { files: await build(), project: 'orders', release: '1.4.2' });
  await upload(server.web, { files: { 'other.js': Buffer.from('other();\n') }, project: 'other', release: '1.0.0' });
  spans.push(...crashed);
  await server.feed(spans);
  await server.feed(batch);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const views = [
  { name: 'search', path: '/', ready: '.trace-item' },
  { name: 'trace', path: `/trace/${failed[0].traceId}`, ready: '.wf-row' },
  { name: 'detail', path: `/trace/${failed[0].traceId}?span=${failed[2].spanId}`, ready: '.span-detail' },
  { name: 'stack', path: `/trace/${crashed[0].traceId}?span=${crashed[0].spanId}`, ready: 'pre.source' },
  { name: 'stack-wide', path: `/trace/${crashed[0].traceId}?span=${crashed[0].spanId}&wide=1`, ready: 'pre.source' },
  { name: 'missing-map', path: `/trace/${failed[0].traceId}?span=${failed[2].spanId}&wide=1`, ready: '.missing-map' },
  { name: 'sourcemaps', path: '/sourcemaps?release=1.4.2', ready: '.files' },
  { name: 'batch', path: `/trace/${batch[0].traceId}?find=catalog`, ready: '.wf-row' },
];

for (const theme of /** @type {const} */ (['light', 'dark'])) {
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    test(`pictures in ${theme} at ${width} pixels, nothing wider than the window`, async () => {
      await withPage(browser, server.web, { width, height, theme }, async (page) => {
        for (const { name, path, ready } of views) {
          await page.goto(path);
          await page.locator(ready).first().waitFor({ state: 'attached' });
          await page.waitForTimeout(250);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true, name);
          await screenshot(page, `${name}-${width}-${theme}`);
        }
      });
    });
  }

  test(`text has the contrast of WCAG AA in ${theme}`, async () => {
    await withPage(browser, server.web, { theme }, async (page) => {
      await page.goto('/');
      await page.locator('.trace-item').first().waitFor();
      /** @type {[string, string, number][]} */
      const pairs = [];
      for (const ground of ['surface', 'surface-page', 'surface-sunken', 'row-hover', 'row-selected', 'row-match']) {
        for (const ink of ['text', 'text-muted']) pairs.push([ink, ground, 4.5]);
      }
      for (const ground of ['surface', 'surface-page', 'surface-sunken']) {
        for (const ink of ['accent', 'error', 'warning', 'ok']) pairs.push([ink, ground, 4.5]);
      }
      pairs.push(['on-accent', 'accent', 4.5], ['on-accent', 'accent-strong', 4.5], ['text', 'accent-soft', 4.5], ['error', 'error-soft', 4.5], ['warning', 'warning-soft', 4.5]);
      pairs.push(['text', 'error-mark', 4.5], ['text', 'error-soft', 4.5], ['on-error', 'error', 4.5]);
      for (const ink of ['text', 'text-muted', 'accent']) pairs.push([ink, 'warning-soft', 4.5]);
      pairs.push(['border-strong', 'surface', 3], ['border-strong', 'surface-page', 3]);
      const poor = await page.evaluate((wanted) => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const probe = document.createElement('span');
        document.body.append(probe);
        const luminance = (/** @type {string} */ name) => {
          probe.style.color = `var(--${name})`;
          if (canvas === null) throw new Error('no canvas');
          canvas.fillStyle = getComputedStyle(probe).color;
          canvas.fillRect(0, 0, 1, 1);
          const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
            const share = value / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        return wanted.flatMap(([ink, ground, least]) => {
          const [a, b] = [luminance(ink), luminance(ground)];
          const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          return contrast < least ? [`${ink} on ${ground}: ${contrast.toFixed(2)} of ${least}`] : [];
        });
      }, pairs);
      assert.deepEqual(poor, []);
    });
  });
}
