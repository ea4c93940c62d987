const NANOS_IN_MS = 1_000_000n;

/** @param {number} unixMs @returns {bigint} unix nanoseconds */
export function instantOf(unixMs) {
  return BigInt(unixMs) * NANOS_IN_MS;
}
