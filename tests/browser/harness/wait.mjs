import { setTimeout as pause } from "node:timers/promises";

const STEP_MS = 100;

/**
 * Asks `question` again and again until the answer is truthy, and returns that answer.
 * Fails after `seconds`, naming `what` and the last answer or error.
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} question
 * @param {number} [seconds]
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, question, seconds = 15) {
  const deadline = performance.now() + seconds * 1000;
  let last;
  do {
    try {
      last = await question();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await pause(STEP_MS);
  } while (performance.now() < deadline);
  throw new Error(`not within ${seconds} s: ${what} (last: ${shown(last)})`);
}

/**
 * Watches `question` for `seconds`; fails as soon as the answer is not truthy.
 * @param {string} what
 * @param {() => unknown} question
 * @param {number} seconds
 */
export async function throughout(what, question, seconds) {
  const deadline = performance.now() + seconds * 1000;
  do {
    if (!(await question())) throw new Error(`did not stay so for ${seconds} s: ${what}`);
    await pause(STEP_MS);
  } while (performance.now() < deadline);
}

function shown(value) {
  return value instanceof Error ? value.message : JSON.stringify(value);
}
