import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationParameter, formatAge, formatDuration, formatInstant, fromInputValue, parseDuration, toInputValue } from '../../model/time.js';

test('durations have a unit that fits and three digits at most', () => {
  /** @type {[number, string][]} */
  const cases = [
    [0, '0 ns'],
    [1, '1 ns'],
    [999, '999 ns'],
    [1000, '1 µs'],
    [12_340, '12.3 µs'],
    [999_960, '1 ms'],
    [1_500_000, '1.5 ms'],
    [153_000_000, '153 ms'],
    [1_530_000_000, '1.53 s'],
    [59_400_000_000, '59.4 s'],
    [59_990_000_000, '1 m'],
    [123_000_000_000, '2 m 3 s'],
    [3_720_000_000_000, '1 h 2 m'],
    [90_000_000_000_000, '1 d 1 h'],
    [-1_500_000, '−1.5 ms'],
  ];
  for (const [nanoseconds, text] of cases) assert.equal(formatDuration(nanoseconds), text);
});

test('durations are read in every unit; without one they are milliseconds', () => {
  assert.equal(parseDuration('250ms'), 250e6);
  assert.equal(parseDuration(' 1.5 s '), 1.5e9);
  assert.equal(parseDuration('10us'), 10e3);
  assert.equal(parseDuration('10µs'), 10e3);
  assert.equal(parseDuration('100'), 100e6);
  assert.equal(parseDuration('2M'), 120e9);
  for (const wrong of ['', 'fast', '5 x', '-3s', '1e9s', '1s2']) assert.equal(parseDuration(wrong), null);
});

test('what the server is asked for is exact', () => {
  assert.equal(durationParameter('1.5s'), '1500000000ns');
  assert.equal(durationParameter('nonsense'), 'nonsense');
});

test('instants read the same everywhere and keep their milliseconds', () => {
  assert.equal(formatInstant(1_760_000_000_123_456_789n, 'utc'), '2025-10-09 08:53:20.123');
});

test('an instant that no calendar holds is shown as its number', () => {
  assert.equal(formatInstant(10n ** 30n, 'utc'), `${10n ** 30n} ns`);
});

test('ages are for what is recent', () => {
  const now = 1_760_000_000_000;
  const ago = (/** @type {number} */ seconds) => formatAge(BigInt(now - seconds * 1000) * 1_000_000n, now);
  assert.equal(ago(0), 'just now');
  assert.equal(ago(12), '12 s ago');
  assert.equal(ago(300), '5 min ago');
  assert.equal(ago(7200), '2 h ago');
  assert.equal(ago(86_400), '1 day ago');
  assert.equal(ago(30 * 86_400), null);
  assert.equal(ago(-3600), null);
});

test('a date field shows and reads its own zone', () => {
  const iso = '2026-01-31T12:00:00.500Z';
  assert.equal(toInputValue(iso, 'utc'), '2026-01-31T12:00:00.500');
  for (const zone of /** @type {const} */ (['utc', 'local'])) assert.equal(fromInputValue(toInputValue(iso, zone), zone), iso);
  assert.equal(fromInputValue('', 'utc'), '');
});
