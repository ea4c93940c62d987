'use strict';

// The trace that the programs of `clients/go` and `clients/rust` emit with their SDKs, read back field by field.

const assert = require('node:assert/strict');
const { before, describe, test } = require('node:test');

const { Program } = require('./program.js');
const { tagsByKey } = require('./shapes.js');

const START_UNIX_NANO = 1_760_000_000_000_000_123n;
const TRACE_STATE = 'vendor=t61rcWkgMzE';
const SERVICE = 'käsehaus-訂單';

// OTLP's span flags: W3C's `sampled`, and whether the parent is known to be remote.
const SAMPLED_WITH_LOCAL_PARENT = 0x101;
const SAMPLED_WITH_REMOTE_PARENT = 0x301;

const string = (value) => ({ type: 'string', value });
const bool = (value) => ({ type: 'bool', value });
const int = (value) => ({ type: 'int', value: String(value) });
const double = (value) => ({ type: 'double', value });
const array = (...value) => ({ type: 'array', value });

const ATTRIBUTES = {
  text: string('plain'),
  'text.empty': string(''),
  'text.unicode': string('Grüße, 世界 🚀 "quoted" \\ back\nslash'),
  'flag.yes': bool(true),
  'flag.no': bool(false),
  int: int(42),
  'int.lowest': int(-(2n ** 63n)),
  'int.largest': int(2n ** 63n - 1n),
  double: double(2.5),
  'double.whole': double(3),
  texts: array(string('a'), string(''), string('ü')),
  flags: array(bool(true), bool(false)),
  ints: array(int(1), int(-2)),
  doubles: array(double(0.5), double(3)),
};

/**
 * Registers the tests. `command` sends the sample and prints its ids; `settings(backtrail)` are the variables that tell it where to.
 * `exception` looks at the attributes of the exception event at 8 ms, for an SDK that can record one with a time of its own.
 * `linkTraceState` is what arrives of a link's trace state: not every exporter sends it.
 */
function describeSample(label, { backtrail, command, settings, exception, linkTraceState = TRACE_STATE }) {
  describe(label, () => {
    let ids;
    let printed;
    before(async () => {
      const program = new Program(command, {
        env: { OTEL_SERVICE_NAME: SERVICE, OTEL_RESOURCE_ATTRIBUTES: 'service.version=2.0.0', ...settings(backtrail()) },
      });
      ids = JSON.parse(await program.end());
      printed = program.printed;
    });

    const span = async (role) => {
      await backtrail().skeletonOf(ids.trace, 3);
      const { resource, ...span } = await backtrail().span(ids.trace, ids[role]);
      return span;
    };
    const shared = (fromMs, toMs) => ({
      trace_id: ids.trace,
      service: SERVICE,
      start_unix_nano: nanos(fromMs),
      end_unix_nano: nanos(toMs),
      duration_nano: (toMs - fromMs) * 1_000_000,
      status: 'unset',
      status_message: '',
      trace_state: TRACE_STATE,
      flags: SAMPLED_WITH_LOCAL_PARENT,
      attributes: [],
      dropped_attributes_count: 0,
      events: [],
      dropped_events_count: 0,
      links: [],
      dropped_links_count: 0,
      scope: { name: 'backtrail.sample', version: '1.2.3', attributes: [], dropped_attributes_count: 0, schema_url: '' },
    });

    test('the exporter reports no error', () => {
      assert.equal(printed.trim().split('\n').length, 1, `nothing but the ids:\n${printed}`);
    });

    test('the skeleton has the tree', async () => {
      const { columns, ...header } = await backtrail().skeletonOf(ids.trace, 3);
      assert.deepEqual(columns.span_id, [ids.server, ids.client, ids.internal]);
      assert.deepEqual(columns.parent, [-1, 0, 0]);
      assert.equal(header.start_unix_nano, nanos(0));
      assert.equal(header.incomplete, true, 'the remote parent was never sent');
    });

    test('a span with every type of attribute', async () => {
      assert.deepEqual(await span('server'), {
        ...shared(0, 40),
        span_id: ids.server,
        parent_span_id: ids.parent,
        name: 'GET /käse/{größe} 🧀',
        kind: 'server',
        flags: SAMPLED_WITH_REMOTE_PARENT,
        attributes: Object.entries(ATTRIBUTES).map(([key, value]) => ({ key, ...value })),
      });
    });

    test('a span with events, a link and an error', async () => {
      const { events, links, ...rest } = await span('client');
      const { events: _, links: __, ...expected } = shared(5, 9);
      assert.deepEqual(rest, {
        ...expected,
        span_id: ids.client,
        parent_span_id: ids.server,
        name: 'SELECT carts',
        kind: 'client',
        status: 'error',
        status_message: 'no such column: größe',
      });
      const [read, ...exceptions] = events;
      assert.deepEqual(read, { time_unix_nano: nanos(6), name: 'row.read', attributes: [{ key: 'row.number', ...int(17) }], dropped_attributes_count: 0 });
      assert.deepEqual(exceptions.map(({ name, time_unix_nano }) => [name, time_unix_nano]), exception ? [['exception', nanos(8)]] : []);
      if (exception) {
        exception(tagsByKey(exceptions[0].attributes));
      }
      const [link, ...more] = links;
      assert.deepEqual(more, []);
      assert.deepEqual([link.trace_id, link.span_id, link.trace_state], [ids.trace, ids.parent, linkTraceState]);
      assert.deepEqual(link.attributes, [{ key: 'link.attempt', ...int(2) }]);
    });

    test('a span without a duration that went well', async () => {
      assert.deepEqual(await span('internal'), { ...shared(10, 10), span_id: ids.internal, parent_span_id: ids.server, name: 'price', kind: 'internal', status: 'ok' });
    });

    test('the resource comes from the environment', async () => {
      await backtrail().skeletonOf(ids.trace, 3);
      const { resource } = await backtrail().span(ids.trace, ids.server);
      const attributes = tagsByKey(resource.attributes);
      assert.deepEqual(attributes['service.name'], string(SERVICE));
      assert.deepEqual(attributes['service.version'], string('2.0.0'));
      assert.deepEqual(attributes['telemetry.sdk.name'], string('opentelemetry'));
    });

    test('the same trace through the Jaeger API', async () => {
      await backtrail().skeletonOf(ids.trace, 3);
      const { spans, processes } = await backtrail().jaegerTrace(ids.trace);
      assert.equal(spans.length, 3);
      const client = spans.find(({ spanID }) => spanID === ids.client);
      assert.equal(client.operationName, 'SELECT carts');
      assert.deepEqual([client.startTime, client.duration], [1_760_000_000_005_000, 4_000]);
      assert.deepEqual(tagsByKey(client.tags).error, { type: 'bool', value: true });
      assert.equal(processes[client.processID].serviceName, SERVICE);
      const server = tagsByKey(spans.find(({ spanID }) => spanID === ids.server).tags);
      // Jaeger writes what JavaScript's numbers can't hold as text.
      assert.deepEqual(server['int.lowest'], { type: 'int64', value: String(-(2n ** 63n)) });
    });
  });
}

function nanos(milliseconds) {
  return String(START_UNIX_NANO + BigInt(milliseconds) * 1_000_000n);
}

module.exports = { describeSample };
