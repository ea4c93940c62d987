import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { checkout } from '../support/shop.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const now = BigInt(Date.now()) * 1_000_000n;
const spans = checkout(1, now - 5_000_000_000n);
// The browser itself says that an answer was 401 or 403.
const expected = /the server responded with a status of 40[013]/;

before(async () => {
  server = await startServer({ scopes: ['read', 'upload', 'admin'] });
  browser = await startBrowser();
  await server.feed(spans);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * @param {import('playwright-core').Page} page
 * @param {string} token
 */
async function signIn(page, token) {
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a closed server asks for a token, and the trace that was asked for is shown with it', async () => {
  await withPage(browser, server.web, { expected }, async (page) => {
    await page.goto(`/trace/${spans[0].traceId}`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await page.title(), 'Sign in · Backtrail');
    await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.id), 'token'));
    await screenshot(page, 'login-1280-light');
    await signIn(page, server.made.read);
    await page.locator('.wf-row').first().waitFor({ state: 'attached' });
    assert.equal(new URL(page.url()).pathname, `/trace/${spans[0].traceId}`);

    await page.goto('/');
    await page.locator('.trace-item').first().waitFor();
    const seen = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }));
    assert.equal(seen.includes('backtrail_session'), false, 'scripts see the session');
    assert.equal(seen.includes(server.made.read), false, 'the page keeps the token');
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  });
});

test('what is wrong with a token is said beside it', async () => {
  await withPage(browser, server.web, { expected, theme: 'dark', width: 390, height: 844 }, async (page) => {
    await page.goto('/');
    const problem = page.getByRole('alert');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await problem.filter({ hasText: 'Paste a token first' }).waitFor();
    await signIn(page, 'f'.repeat(64));
    await problem.filter({ hasText: 'does not know this token' }).waitFor();
    await screenshot(page, 'login-390-dark');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
    await signIn(page, server.made.upload);
    await problem.filter({ hasText: 'good for other things' }).waitFor();
    await signIn(page, 'two words');
    await problem.filter({ hasText: 'This is no token' }).waitFor();
    await signIn(page, ` ${server.made.read} `);
    await page.locator('.trace-item').first().waitFor();
  });
});

test('signing out ends the session of the browser', async () => {
  await withPage(browser, server.web, { expected }, async (page) => {
    await page.goto('/');
    await signIn(page, server.made.read);
    await page.locator('.trace-item').first().waitFor();
    await page.getByRole('button', { name: 'Signed in with the token “read”. Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});

test('a session ends with its token', async () => {
  await withPage(browser, server.web, { expected }, async (page) => {
    await page.goto('/');
    await signIn(page, server.made.admin);
    await page.locator('.trace-item').first().waitFor();
    await server.tokens('revoke', 'admin');
    const login = page.getByRole('heading', { name: 'Sign in' });
    await eventually(async () => {
      await page.reload();
      await login.or(page.locator('.trace-item').first()).waitFor();
      assert.equal(await login.count(), 1);
    });
  });
});

test('an open server has no login and nothing to sign out of', async () => {
  const open = await startServer({ scopes: ['upload'] });
  try {
    await open.feed(checkout(2, now));
    await withPage(browser, open.web, {}, async (page) => {
      await page.goto('/');
      await page.locator('.trace-item').first().waitFor();
      assert.equal(await page.getByRole('button', { name: /Sign out/ }).count(), 0);
    });
  } finally {
    await open.stop();
  }
});
