/**
 * Single-letter shortcuts of a page; silent while somebody types or a dialog asks.
 * @param {Record<string, () => void>} actions by lower-case key
 */
export function bindKeys(actions) {
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    actions[event.key.toLowerCase()]?.();
  });
}

/** @param {EventTarget | null} target @returns {boolean} */
function isTyping(target) {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
