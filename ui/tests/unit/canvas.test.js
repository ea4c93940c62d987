import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grip, layOutOverview } from '../../canvas/overview-layout.js';
import { clampRange, isWhole, panRange, ticks, timeToX, xToTime, zoomRange } from '../../canvas/scale.js';
import { layOutScatter, nearestPoint, roundTimes, timeAt } from '../../canvas/scatter-layout.js';
import { barArea, barOf, depthBase, hitTest, indentOf, MIN_BAR, ROW_HEIGHT, rowsInView, scrollToShow } from '../../canvas/waterfall-layout.js';
import { traceOf } from './trace.js';

const whole = { from: 0, to: 1000 };
const geometry = { width: 1000, height: 260, nameWidth: 300, scrollTop: 0, rowCount: 100, range: whole };

test('time and pixels are each other’s inverse', () => {
  const range = { from: 200, to: 700 };
  for (const time of [200, 333, 700]) assert.equal(Math.round(xToTime(range, 640, timeToX(range, 640, time))), time);
});

test('zooming keeps the time under the pointer and stays inside the trace', () => {
  const zoomed = zoomRange(whole, whole, 0.5, 250);
  assert.deepEqual(zoomed, { from: 125, to: 625 });
  assert.deepEqual(zoomRange(zoomed, whole, 100, 400), whole);
  assert.deepEqual(panRange(zoomed, whole, 10_000), { from: 500, to: 1000 });
  assert.ok(clampRange({ from: 500, to: 500 }, whole).to > 500);
  assert.equal(isWhole(whole, whole), true);
  assert.equal(isWhole(zoomed, whole), false);
});

test('a trace of one nanosecond can be zoomed without falling apart', () => {
  const instant = { from: 0, to: 1 };
  assert.deepEqual(zoomRange(instant, instant, 0.1, 0.5), instant);
});

test('ticks are round and no closer than asked', () => {
  assert.deepEqual(ticks({ from: 0, to: 1000 }, 500, 100), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(ticks({ from: 0, to: 300e9 }, 500, 100).map((time) => time / 1e9), [0, 60, 120, 180, 240, 300]);
  assert.deepEqual(ticks({ from: -50, to: 50 }, 200, 100), [-50, 0, 50]);
  assert.ok(ticks({ from: 0, to: 1e18 }, 2000, 50).length <= 41);
});

test('only the rows in view are drawn', () => {
  assert.deepEqual(rowsInView(geometry), { first: 0, last: 10 });
  assert.deepEqual(rowsInView({ ...geometry, scrollTop: ROW_HEIGHT * 20.5 }), { first: 20, last: 31 });
  assert.deepEqual(rowsInView({ ...geometry, scrollTop: 1e9 }), { first: 100, last: 100 });
  assert.deepEqual(rowsInView({ ...geometry, rowCount: 0 }), { first: 0, last: 0 });
});

test('a row is brought into view by the shortest way', () => {
  assert.equal(scrollToShow(geometry, 4), 0);
  assert.ok(scrollToShow(geometry, 30) > 0);
  const down = scrollToShow(geometry, 30);
  const { first, last } = rowsInView({ ...geometry, scrollTop: down });
  assert.ok(first <= 30 && 30 < last);
  assert.equal(scrollToShow({ ...geometry, scrollTop: down }, 30), down);
});

test('bars are cut to what is in view and never vanish', () => {
  const area = barArea(geometry);
  const all = barOf(geometry, 0, 1000);
  assert.equal(all.left, area.left);
  assert.equal(Math.round(all.width), area.width);
  assert.equal(barOf(geometry, 500, 0).width, MIN_BAR);
  const zoomed = { ...geometry, range: { from: 400, to: 500 } };
  assert.equal(barOf(zoomed, 0, 100).visible, false);
  const across = barOf(zoomed, 0, 1000);
  assert.equal(across.visible && across.cutLeft && across.cutRight, true);
  assert.ok(across.left >= zoomed.nameWidth && across.left + across.width <= zoomed.width);
});

test('a point of the waterfall is a row and a part of it', () => {
  const indentAt = () => indentOf(geometry.nameWidth, 2, 0);
  const scrolled = { ...geometry, scrollTop: ROW_HEIGHT * 7 };
  assert.deepEqual(hitTest(scrolled, 500, 5, indentAt), { position: 7, part: 'bars' });
  assert.deepEqual(hitTest(scrolled, indentAt() + 8, ROW_HEIGHT + 1, indentAt), { position: 8, part: 'twisty' });
  assert.deepEqual(hitTest(scrolled, 200, 1, indentAt), { position: 7, part: 'name' });
  assert.equal(hitTest({ ...geometry, rowCount: 2 }, 200, 200, indentAt), null);
  assert.equal(hitTest(geometry, -1, 5, indentAt), null);
});

test('names of a very deep trace stay inside their column', () => {
  const base = depthBase(300, 9_970, 9_999);
  assert.ok(base > 0);
  for (const depth of [9_970, 9_985, 9_999]) {
    const indent = indentOf(300, depth, base);
    assert.ok(indent >= 0 && indent < 200, `depth ${depth} at ${indent}`);
  }
  assert.equal(depthBase(300, 0, 8), 0);
});

test('the overview leaves out what can not be seen, but no error', () => {
  const children = Array.from({ length: 20_000 }, (_, at) => ({ at: at % 100, for: 1, error: at === 13_000 }));
  const trace = traceOf([{ for: 1e9, children }]);
  const boxes = layOutOverview(trace, 1000, 50);
  assert.ok(boxes.count < 500, `${boxes.count} boxes`);
  assert.equal(boxes.error.slice(0, boxes.count).reduce((sum, error) => sum + error, 0), 1);
  for (let box = 0; box < boxes.count; box++) {
    assert.ok(boxes.x[box] >= 0 && boxes.x[box] + boxes.width[box] <= 1000);
    assert.ok(boxes.lane[box] >= 0 && (boxes.lane[box] + 1) * boxes.laneHeight <= 50);
  }
});

test('a few spans have lanes of a sensible height', () => {
  const boxes = layOutOverview(traceOf([{ children: [{}] }]), 100, 50);
  assert.equal(boxes.count, 2);
  assert.equal(boxes.laneHeight, 6);
});

test('a press on the overview takes an edge, the selection, or begins a new one', () => {
  const selection = { left: 100, right: 300 };
  assert.equal(grip(104, selection), 'from');
  assert.equal(grip(297, selection), 'to');
  assert.equal(grip(200, selection), 'move');
  assert.equal(grip(20, selection), 'new');
  assert.equal(grip(200, null), 'new');
});

/**
 * @param {number} atMs
 * @param {number} duration
 * @returns {import('../../api/types.js').TraceSummary}
 */
function summary(atMs, duration) {
  return {
    trace_id: '1'.padStart(32, '0'), root_service: 'a', root_name: 'b', start_unix_nano: `${BigInt(atMs) * 1_000_000n}`, duration_nano: duration,
    span_count: 10, error_count: 0, matched_spans: 1, incomplete: false, services: [],
  };
}

test('points lie inside the plot, later to the right and longer above', () => {
  const plot = layOutScatter([summary(2000, 1e9), summary(1000, 1e6), summary(1500, 0)], 800, 168);
  assert.ok(plot.x[0] > plot.x[2] && plot.x[2] > plot.x[1]);
  assert.ok(plot.y[0] < plot.y[1] && plot.y[1] < plot.y[2]);
  for (let at = 0; at < plot.count; at++) {
    assert.ok(plot.x[at] >= plot.area.left && plot.x[at] <= plot.area.left + plot.area.width);
    assert.ok(plot.y[at] >= plot.area.top && plot.y[at] <= plot.area.top + plot.area.height);
  }
  assert.ok(plot.durationTicks.length >= 2);
  assert.equal(nearestPoint(plot, plot.x[1] + 3, plot.y[1]), 1);
  assert.equal(nearestPoint(plot, plot.area.left, plot.area.top), -1);
  assert.ok(Math.abs(timeAt(plot, plot.x[0]) - 2000) < 1);
});

test('one trace is a point in the middle of a plot that has an extent', () => {
  const plot = layOutScatter([summary(5000, 1e6)], 800, 168);
  assert.ok(plot.toMs > plot.fromMs);
  assert.ok(Math.abs(plot.x[0] - (plot.area.left + plot.area.width / 2)) < 1);
});

test('times on the axis are round in the zone that is shown', () => {
  const hour = 3_600_000;
  const from = Date.UTC(2026, 0, 31, 10, 7);
  const { stepMs, times } = roundTimes(from, from + 6 * hour, 6, 5.5 * hour);
  assert.equal(stepMs, hour);
  for (const time of times) assert.equal((time + 5.5 * hour) % hour, 0);
  assert.ok(times.length >= 5 && times.length <= 7);
});
