/**
 * Keeps a phone's screen lit while `wanted`.
 * @param {() => boolean} wanted
 */
export function keepAwake(wanted) {
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  setInterval(async () => {
    if (!("wakeLock" in navigator)) return;
    if (wanted() && !lock && document.visibilityState === "visible") {
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      lock?.addEventListener("release", () => (lock = null));
    } else if (!wanted() && lock) {
      await lock.release();
    }
  }, 2000);
}
