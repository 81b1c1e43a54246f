/**
 * Shows a level, 0 to 1, on a `.meter`.
 * @param {HTMLElement} meter
 * @param {number} level
 */
export function setLevel(meter, level) {
  meter.style.setProperty("--level", level.toFixed(3));
  meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
}
