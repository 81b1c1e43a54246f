/** How long to wait before the next try: doubles to a limit, with jitter so that a clinic's pages do not return in step. */
export class Backoff {
  #tries = 0;
  #firstMs;
  #mostMs;

  /**
   * @param {number} firstMs
   * @param {number} mostMs
   */
  constructor(firstMs, mostMs) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
  }

  /** @returns {number} milliseconds */
  next() {
    const whole = Math.min(this.#mostMs, this.#firstMs * 2 ** this.#tries);
    this.#tries += 1;
    return whole * (0.75 + Math.random() / 2);
  }

  reset() {
    this.#tries = 0;
  }
}
