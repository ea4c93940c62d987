// From a minified stack trace to the line of source, and what is said where there is no way.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, screenshot, startBrowser, withPage } from '../browser.js';
import { startServer } from '../server.js';
import { build, bundle, crash, stack, truth } from '../support/crash.js';
import { upload } from '../support/uploads.js';

/** @import { Page } from 'playwright-core' */
/** @import { SpanDraft } from '../support/otlp.js' */

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

const script = '<img src=x onerror="window.hacked=1">';
const resolved = crash(1, 'shop');
const unknown = crash(2, 'bare');
const caused = crash(3, 'shop', {
  message: 'no receipt',
  text: `Error: no receipt
    at n (/var/task/${bundle}:1:209)
    at Layer.handle [as handle_request] (/srv/node_modules/express/lib/router/layer.js:95:5)
    at next (/srv/node_modules/express/lib/router/route.js:144:13)
    at node:internal/process/task_queues:95:5
Caused by: PaymentError: limit exceeded: 120
    at n (/var/task/${bundle}:1:404) {
  order: { total: 120 }
}`,
});
const deep = crash(4, 'shop', { message: 'deep', text: `Error: deep\n${Array.from({ length: 1500 }, (_, at) => `    at f${at} (/var/task/${bundle}:1:${[404, 209, 899][at % 3]})`).join('\n')}` });
const hostile = crash(5, 'shop', {
  message: script,
  text: `${script}\u202e\u0000
    at ${script} (/srv/<b>x</b>/\u202egpj.js:1:2)
    at n (/var/task/${'x'.repeat(1_000_000)}.js:1:404)
    at مرحبا (/var/task/${bundle}:1:404)
Caused by: ${script}
    at c (/srv/a\u0000b.js:1:2)`,
});
const bare = crash(6, 'pyshop', { message: 'boom', text: 'Traceback (most recent call last):\n  File "/app/pay.py", line 7, in charge\nValueError: boom' });

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const files = await build();
  await upload(server.web, { files, project: 'shop', release: '1.4.2' });
  // A project alone would serve every service.
  await upload(server.web, { files: { 'other.js': Buffer.from('other();\n') }, project: 'other', release: '1.0.0' });
  for (const spans of [resolved, unknown, caused, deep, hostile, bare]) await server.feed(spans);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * Opens the span of an exception.
 * @param {Page} page
 * @param {SpanDraft[]} spans
 * @param {string} [query]
 */
async function open(page, [span], query = '') {
  await page.goto(`/trace/${span.traceId}?span=${span.spanId}${query}`);
  const exception = page.getByRole('region', { name: 'Exception' }).first();
  await exception.locator('.stack').waitFor();
  return exception;
}

/** @param {import('playwright-core').Locator} frame */
async function sourceOf(frame) {
  return ((await frame.locator('.frame-source').first().innerText()).replace(/\s+/g, ' ')).trim();
}

test('frames lead to lines of source, with the column marked, beside the frames that came', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, resolved);
    await exception.getByText('4 of 9 frames lead to source').waitFor();
    const own = exception.locator('.frame.own');
    assert.equal(await own.count(), 4);
    for (const [at, words] of truth.entries()) assert.equal(await sourceOf(own.nth(at)), words);
    assert.match(await own.nth(0).locator('.frame-raw').innerText(), new RegExp(`n /var/task/${bundle}:1:404`));

    // The innermost is open; the line that threw has five lines on either side, as far as there are any.
    const source = own.nth(0).locator('pre.source');
    const here = source.locator('[aria-current=location]');
    assert.equal(await here.locator('.source-number').innerText(), '12');
    assert.match(await here.innerText(), /throw new PaymentError\(`limit exceeded: \$\{order\.total\}`, order\);/);
    assert.equal(await here.locator('mark').innerText(), 'new');
    assert.deepEqual(await source.locator('.source-number').allInnerTexts(), ['7', '8', '9', '10', '11', '12', '13', '14', '15', '16']);

    await own.nth(1).locator('summary').click();
    const second = own.nth(1).locator('[aria-current=location]');
    assert.equal(await second.locator('.source-number').innerText(), '9');
    assert.equal(await second.locator('mark').innerText(), 'chargeCustomer');
    await own.nth(1).getByText('found by the file that the map names').waitFor();
    await own.nth(1).getByRole('button', { name: 'Copy file, line and column' }).click();
    await eventually(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'src/order.js:9:10'));
    await own.nth(1).getByRole('link', { name: '1.4.2' }).click();
    await page.getByRole('heading', { name: 'Source maps' }).waitFor();
    await page.locator('.files').waitFor();
  });
});

test('exceptions of log records whose spans are not here stand beside the trace, and alone where no span of it is here', async () => {
  const alone = 'c2a5'.padEnd(32, '7');
  const text = `PaymentError: ${script}\n${stack.split('\n').slice(1).join('\n')}`;
  await server.feedLogs([resolved[0].traceId, alone].map((traceId) => ({ traceId, spanId: '00000000c2a5ffff', service: 'shop', version: '1.4.2', type: 'PaymentError', message: script, text })));
  await withPage(browser, server.web, { expected: /404/ }, async (page) => {
    await page.goto(`/trace/${resolved[0].traceId}`);
    const beside = page.locator('details.without-span');
    await beside.getByText('1 exception from log records, of spans that are not here').click();
    await beside.getByText('4 of 9 frames lead to source').waitFor();
    await beside.getByText('00000000c2a5ffff').waitFor();

    await page.goto(`/trace/${unknown[0].traceId}`);
    await page.locator('.trace-header').waitFor();
    assert.equal(await page.locator('.without-span').count(), 0);

    await page.goto(`/trace/${alone}`);
    await page.getByRole('heading', { name: 'Only exceptions are here of this trace' }).waitFor();
    assert.equal(await sourceOf(page.locator('.frame.own').first()), truth[0]);
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).hacked), undefined);
    await screenshot(page, 'exceptions-without-spans');

    await page.goto(`/trace/${'c2a5'.padEnd(32, '8')}`);
    await page.getByRole('heading', { name: 'No such trace' }).waitFor();
  });
});

test('the frame of the bundler’s wrapper stays raw and says why, those of the engine are folded', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, resolved);
    const wrapper = exception.locator('.frame.raw').filter({ hasText: `Object.<anonymous> /var/task/${bundle}:1:940` });
    await wrapper.getByText('stays raw: the map says nothing of this place: it is code that the bundler added').waitFor();
    assert.equal(await exception.getByText('Module._compile').count(), 0);
    await exception.getByText('4 frames of packages and of the engine').click();
    await exception.getByText('Module._compile').waitFor();
    assert.equal(await exception.locator('.missing-map').count(), 0);
  });
});

test('a wide detail has source and raw side by side, a narrow one above each other', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, resolved);
    const sides = async () => {
      const [source, raw] = await Promise.all(['.frame-source', '.frame-raw'].map((side) => exception.locator('.frame.own').first().locator(side).boundingBox()));
      assert.ok(source !== null && raw !== null);
      return { beside: raw.x >= source.x + source.width - 1 && Math.abs(raw.y - source.y) < 6, below: raw.y >= source.y + source.height - 1 };
    };
    assert.equal((await sides()).below, true);
    await page.keyboard.press('w');
    await eventually(async () => assert.equal((await sides()).beside, true));
    await eventually(async () => assert.equal(new URL(page.url()).searchParams.get('wide'), '1'));
    await page.reload();
    await exception.locator('.frame.own').first().waitFor();
    assert.equal((await sides()).beside, true);
    await page.getByRole('button', { name: 'Narrow the detail' }).click();
    await eventually(async () => assert.equal((await sides()).below, true));
  });
});

test('as text, the resolved stack stands beside the raw one, and both are copied whole', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, resolved, '&wide=1');
    await exception.getByRole('button', { name: 'Text', exact: true }).click();
    const raw = exception.getByRole('region', { name: 'Raw stack trace' });
    const inSource = exception.getByRole('region', { name: 'Resolved stack trace' });
    assert.match(await inSource.locator('pre').innerText(), /at chargeCustomer \(src\/payment\.js:12:11\)\n {4}at placeOrder \(src\/order\.js:9:10\)/);
    assert.equal((await raw.locator('pre').innerText()).trim(), stack);
    await raw.getByRole('button', { name: 'Copy the raw stack trace' }).click();
    await eventually(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), stack));
    await exception.getByRole('button', { name: 'Frames', exact: true }).click();
    await exception.locator('pre.source').waitFor();
  });
});

test('without a map it says what to do, and an upload heals the trace when it is opened again', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    let exception = await open(page, unknown);
    await exception.getByText('No frame leads to source').waitFor();
    const missing = exception.locator('.missing-map');
    await missing.getByText(`No map for /var/task/${bundle}, so 5 frames stay raw.`).waitFor();
    await missing.getByText('To do:').waitFor();
    const command = (await missing.locator('.command code').innerText()).trim();
    assert.match(command, /^backtrail sourcemaps upload --project bare /);
    await missing.getByRole('button', { name: 'Copy the command' }).click();
    await eventually(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command));
    await missing.getByText('What was tried').click();
    await missing.getByText('no release of a project that serves bare was uploaded').waitFor();
    await screenshot(page, 'stack-missing-1280-light');

    await upload(server.web, { files: await build(), project: 'bare', release: '1.4.2' });
    await page.reload();
    exception = page.getByRole('region', { name: 'Exception' });
    await exception.getByText('4 of 9 frames lead to source').waitFor();
    assert.equal(await sourceOf(exception.locator('.frame.own').first()), truth[0]);
    assert.equal(await exception.locator('.missing-map').count(), 0);
  });
});

test('the cause of an error stands between the frames, and packages do not hide it', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, caused);
    await exception.getByText('Caused by: PaymentError: limit exceeded: 120').waitFor();
    await exception.getByText('order: { total: 120 }').waitFor();
    assert.deepEqual(
      await exception.locator('.frames').first().evaluate((list) => [...list.children].map((item) => item.className)),
      ['frame own', 'frame quiet', 'frame-between', 'frame own', 'frame-between'],
    );
  });
});

test('a stack is walked by keyboard alone', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, resolved);
    const second = exception.locator('.frame.own').nth(1);
    await exception.getByRole('button', { name: 'Frames', exact: true }).focus();
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press('Tab');
      if (await second.locator('summary').evaluate((summary) => summary === document.activeElement)) break;
    }
    await page.keyboard.press('Enter');
    await second.locator('pre.source').waitFor();
    await page.keyboard.press('Tab');
    await eventually(async () => assert.equal(await second.locator('pre.source').evaluate((pre) => pre === document.activeElement), true));
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await eventually(async () => assert.equal(await page.locator('.span-detail').count(), 0));
  });
});

test('a stack of 1,500 frames is shown by parts', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, deep);
    await exception.getByText('1,000 of 1,000 frames lead to source').waitFor();
    assert.equal(await exception.locator('.frame').count(), 50);
    await exception.getByText('500 more frames are in the raw stack trace only.').waitFor();
    await exception.getByRole('button', { name: 'Show all 1,000 frames' }).click();
    await eventually(async () => assert.equal(await exception.locator('.frame').count(), 1000));
    assert.equal(await exception.locator('pre.source').count(), 1);
  });
});

test('who may not see sources reads where a frame was, and what seeing the lines needs', async () => {
  const closed = await startServer({ scopes: ['read', 'sources', 'admin', 'upload'] });
  try {
    await upload(closed.web, { files: await build(), project: 'shop', release: '1.4.2', token: closed.made.upload });
    await closed.feed(resolved);
    // The browser itself says that an answer was 401.
    await withPage(browser, closed.web, { expected: /the server responded with a status of 401/ }, async (page) => {
      const exception = page.getByRole('region', { name: 'Exception' }).first();
      const signIn = async (/** @type {string} */ token) => {
        await page.getByLabel('Token', { exact: true }).fill(token);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await exception.getByText('4 of 9 frames lead to source').waitFor();
      };
      const [span] = resolved;
      await page.goto(`/trace/${span.traceId}?span=${span.spanId}`);
      await signIn(closed.made.read);
      const own = exception.locator('.frame.own');
      assert.equal(await sourceOf(own.first()), truth[0]);
      await own.first().getByText('The lines of source are left out: seeing them needs a token with the scope sources.', { exact: true }).waitFor();
      assert.equal(await exception.locator('pre.source').count(), 0);
      await screenshot(page, 'stack-without-lines-1280-light');

      await page.getByRole('button', { name: /Sign out/ }).click();
      await signIn(closed.made.admin);
      await own.first().locator('pre.source').waitFor();
      assert.equal(await exception.getByText('The lines of source are left out').count(), 0);
    });
  } finally {
    await closed.stop();
  }
});

test('whatever a stack trace says is text, and as long as it may be', async () => {
  for (const options of [{}, /** @type {const} */ ({ width: 390, height: 844, theme: 'dark' })]) {
    await withPage(browser, server.web, options, async (page) => {
      const exception = await open(page, hostile);
      await exception.locator('.frame.own').getByText('chargeCustomer').first().waitFor();
      const text = await exception.innerText();
      assert.ok(text.includes('⟨U+202E⟩gpj.js:1:2'));
      assert.ok(text.includes(`Caused by: ${script}`));
      assert.ok(text.length < 20_000, `${text.length} characters`);
      const closed = exception.locator('details:not([open]) > summary');
      while ((await closed.count()) > 0) await closed.first().click();
      assert.ok((await exception.innerText()).includes('a⟨U+0000⟩b.js'));
      await exception.getByRole('button', { name: 'Text', exact: true }).click();
      await exception.getByRole('region', { name: 'Raw stack trace' }).waitFor();
      assert.equal(await page.evaluate(() => Reflect.get(window, 'hacked')), undefined);
      assert.equal(await page.locator('#app img, #app script').count(), 0);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
      assert.equal(await page.locator('.panel-body').evaluate((body) => body.scrollWidth <= body.clientWidth), true);
    });
  }
});

test('a stack trace of another language stays as it came', async () => {
  await withPage(browser, server.web, {}, async (page) => {
    const exception = await open(page, bare);
    await exception.getByText('File "/app/pay.py", line 7, in charge').waitFor();
    assert.equal(await exception.locator('.missing-map, .frame').count(), 0);
  });
});
