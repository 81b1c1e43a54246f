/**
 * Calls `tick` four times a second, and never for a hidden page's sake more often.
 * @param {() => void} tick
 * @returns {() => void} stops it
 */
export function everyTick(tick) {
  const timer = setInterval(tick, 250);
  return () => clearInterval(timer);
}

/**
 * Knows the server's wall clock from one reading of it, whatever this machine's clock says. For display only.
 * @param {number} serverMs unix milliseconds when the page was made
 * @returns {() => number} unix milliseconds now
 */
export function serverClock(serverMs) {
  // The reading is as old as the page is, within the time it took to arrive.
  const startedAt = performance.now();
  return () => serverMs + (performance.now() - startedAt);
}
