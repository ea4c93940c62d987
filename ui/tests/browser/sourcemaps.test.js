// What is uploaded, what the last day's frames needed, and what to do where the two do not meet.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { build, bundle, crash, map } from '../support/crash.js';
import { upload } from '../support/uploads.js';

/** @import { Page } from 'playwright-core' */

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Record<string, Buffer>} */
let files;

const shop = crash(1, 'shop');
const bare = crash(2, 'bare', { text: `Error: x\n    at n (/var/task/${bundle}:1:404)\n    at next (/var/task/node_modules/express/lib/router/route.js:144:13)`, message: 'x' });

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  files = await build();
  await upload(server.web, { files, project: 'shop', release: '1.4.2' });
  await upload(server.web, { files: { 'other.js': Buffer.from('other();\n') }, project: 'other', release: '1.0.0' });
  await server.feed(shop);
  await server.feed(bare);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {Page} page @param {string} [query] */
async function open(page, query = '') {
  await page.goto(`/sourcemaps${query}`);
  await page.getByRole('heading', { name: 'Source maps', exact: true }).waitFor();
}

/** @param {Page} page @param {string} service @param {string} file */
function need(page, service, file) {
  return page.locator('.need').filter({ hasText: file }).filter({ has: page.locator('.need-service', { hasText: service }) });
}

test('before anything is uploaded or thrown, it says how to do both', async () => {
  const empty = await startServer();
  try {
    await withPage(browser, empty.web, {}, async (page) => {
      await page.goto('/search');
      await page.getByRole('link', { name: 'Source maps' }).click();
      await page.getByText('No exception of the last day has a stack trace').waitFor();
      assert.equal(await page.title(), 'Source maps · Backtrail');
      await page.getByRole('tab', { name: 'backtrail', selected: true }).focus();
      for (const tool of ['sentry-cli', 'webpack']) {
        await page.keyboard.press('ArrowRight');
        await page.getByRole('tab', { name: tool, selected: true }).waitFor();
        assert.ok((await page.getByRole('tabpanel').innerText()).includes(empty.web), tool);
      }
      await screenshot(page, 'sourcemaps-empty-1280-light');
    });
  } finally {
    await empty.stop();
  }
});

test('a release is opened to its uploads and their files, and the URL says so', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    const release = page.locator('.release').filter({ hasText: '1.4.2' });
    await release.getByText('shop, 1 upload').click();
    await release.locator('.files').waitFor();
    const rows = await release.locator('.files tbody tr').allInnerTexts();
    assert.equal(rows.length, 2);
    assert.match(rows[0], new RegExp(`~/${bundle}\\s+bundle\\s+its content\\s+942 B`));
    assert.match(rows[1], new RegExp(`~/${map}\\s+map\\s+says it is for main\\.x+\\.js\\s+4\\.1 KiB`));
    await eventually(async () => assert.equal(new URL(page.url()).search, '?release=1.4.2'));
    await page.reload();
    await release.locator('.files').waitFor();
    assert.equal(await page.locator('.files').count(), 1);

    // An upload without a map is named as what it is.
    await page.locator('.release').filter({ hasText: '1.0.0' }).locator('summary').click();
    await page.getByText('There is no map in this upload').waitFor();
  });
});

test('it names what the last day’s frames need, and a service that a project is told to serve is healed', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    await page.getByText('2 exceptions in 2 traces. 1 file of 2 lacks a map.').waitFor();
    await need(page, 'shop', bundle).getByText('4 of 5 frames lead to source, 1 is the bundler’s own code').waitFor();
    const missing = need(page, 'bare', bundle);
    await missing.getByText('To do:').waitFor();
    await missing.getByText('backtrail sourcemaps upload --project bare').waitFor();
    await missing.getByText('What was tried').click();
    await missing.getByText('no release of a project that serves bare was uploaded').waitFor();
    // A package that was not bundled needs none.
    assert.equal(await need(page, 'bare', 'express/lib/router/route.js').count(), 0);

    await page.getByRole('group', { name: 'Services' }).getByText('bare').click();
    await eventually(async () => assert.equal(new URL(page.url()).search, '?service=bare'));
    await eventually(async () => assert.equal(await need(page, 'shop', bundle).count(), 0));

    const project = page.getByRole('group', { name: 'Project shop' });
    await project.getByLabel('A service that project shop serves too').fill('bare');
    await page.keyboard.press('Enter');
    await need(page, 'bare', bundle).getByText('1 of 1 frame leads to source').waitFor();
    await page.getByRole('link', { name: 'this trace' }).first().click();
    await page.getByRole('treegrid').getByRole('row').first().waitFor({ state: 'attached' });
    assert.equal(new URL(page.url()).pathname, `/trace/${bare[0].traceId}`);

    await open(page);
    await project.getByRole('button', { name: 'No longer serve bare' }).click();
    await need(page, 'bare', bundle).getByText('1 frame, none led to source').waitFor();
    assert.equal(await project.getByRole('button').count(), 1);
  });
});

test('a release is deleted where it stands, after a question', async () => {
  await upload(server.web, { files: { ...files, 'more.js': Buffer.from('more();\n') }, project: 'third', release: 'web@3.0/ü+1' });
  await withPage(browser, server.web, {}, async (page) => {
    await open(page);
    const release = page.locator('.release').filter({ hasText: 'web@3.0/ü+1' });
    await release.locator('summary').first().click();
    await release.locator('.files').waitFor();
    const ask = release.getByRole('button', { name: 'Delete the release' });
    await ask.click();
    await release.getByText('Delete release web@3.0/ü+1 and 1 upload of it?').waitFor();
    await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Keep'));
    await page.keyboard.press('Escape');
    await eventually(async () => assert.equal(await ask.evaluate((button) => button === document.activeElement), true));
    await ask.click();
    await screenshot(page, 'sourcemaps-delete-1280-light');
    await release.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('Release web@3.0/ü+1 was deleted.').waitFor();
    assert.equal(await release.count(), 0);
    await page.reload();
    await page.locator('.release').first().waitFor();
    assert.equal(await release.count(), 0);
    assert.equal(await page.locator('.release').filter({ hasText: '1.4.2' }).count(), 1);
  });
});

test('one upload of a release is deleted alone', async () => {
  await upload(server.web, { files: { 'one.js': Buffer.from('one();\n') }, project: 'third', release: '3.1' });
  await upload(server.web, { files: { 'two.js': Buffer.from('two();\n') }, project: 'third', release: '3.1' });
  await withPage(browser, server.web, {}, async (page) => {
    await open(page, '?release=3.1');
    const upload = page.locator('.bundle').filter({ hasText: '~/one.js' });
    await upload.getByRole('button', { name: 'Delete this upload' }).click();
    await upload.getByRole('button', { name: 'Delete', exact: true }).click();
    await eventually(async () => assert.equal(await page.locator('.bundle').count(), 1));
    await page.locator('.bundle').filter({ hasText: '~/two.js' }).waitFor();
  });
});

test('with tokens it asks for one; who may only read is told what changing needs', async () => {
  const closed = await startServer({ scopes: ['read', 'upload', 'admin'] });
  try {
    await upload(closed.web, { files, project: 'shop', release: '1.4.2', token: closed.made.upload });
    await closed.feed(shop);
    // The browser itself says that an answer was 401 or 403.
    await withPage(browser, closed.web, { expected: /the server responded with a status of 40[13]/ }, async (page) => {
      const signIn = async (/** @type {string} */ token) => {
        await page.getByLabel('Token', { exact: true }).fill(token);
        await page.getByRole('button', { name: 'Sign in' }).click();
      };
      await page.goto('/sourcemaps?release=1.4.2');
      await signIn(closed.made.read);
      await page.locator('.files').waitFor();
      await need(page, 'shop', bundle).getByText('4 of 5 frames lead to source').waitFor();
      await page.getByText('Maps of project shop serve every service, as there is no other project').waitFor();
      await page.getByLabel('A service that project shop serves too').fill('cart');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('alert').filter({ hasText: 'This is not allowed' }).filter({ hasText: 'need a token with the scope admin' }).waitFor();

      await page.getByRole('button', { name: /Sign out/ }).click();
      await signIn(closed.made.admin);
      await page.getByLabel('A service that project shop serves too').fill('cart');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('button', { name: 'No longer serve cart' }).waitFor();
    });
  } finally {
    await closed.stop();
  }
});

test('where the server does not answer, it says so and asks again', async () => {
  await withPage(browser, server.web, { expected: /Failed to load resource/ }, async (page) => {
    await page.route('**/api/v1/sourcemaps/needs', (route) => route.abort());
    await open(page);
    await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
    await page.locator('.release').first().waitFor();
    await page.unroute('**/api/v1/sourcemaps/needs');
    await page.getByRole('button', { name: 'Try again' }).click();
    await need(page, 'shop', bundle).waitFor();
  });
});
