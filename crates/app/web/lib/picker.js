/**
 * Fills the selects of a device form and hears their changes.
 *
 * @typedef {import("./devices.js").Devices} Devices
 */

/**
 * @param {HTMLElement} form holds `label[data-device]` for camera, microphone and speaker
 * @param {Devices} devices
 */
export function bindPicker(form, devices) {
  for (const label of form.querySelectorAll("label")) {
    const which = /** @type {"audio" | "video" | "speaker"} */ (label.dataset.device);
    const select = label.querySelector("select");
    select?.addEventListener("change", () => void devices.choose(which, select.value));
  }
  const refill = () => void fill(form, devices);
  devices.addEventListener("list", refill);
  devices.addEventListener("tracks", refill);
}

/**
 * @param {HTMLElement} form
 * @param {Devices} devices
 */
async function fill(form, devices) {
  const lists = await devices.list();
  for (const label of form.querySelectorAll("label")) {
    const which = /** @type {keyof typeof lists} */ (label.dataset.device);
    const select = label.querySelector("select");
    if (!select) continue;
    const used = which === "speaker" ? devices.chosen.speaker : (devices.tracks[which]?.getSettings().deviceId ?? devices.chosen[which]);
    select.replaceChildren(...options(lists[which], used));
    select.disabled = lists[which].length === 0;
    // Most browsers on a phone leave the speaker to the phone.
    label.hidden = which === "speaker" && lists[which].length === 0;
  }
}

/**
 * @param {MediaDeviceInfo[]} list
 * @param {string} used
 * @returns {HTMLOptionElement[]}
 */
function options(list, used) {
  if (list.length === 0) return [new Option("none found", "")];
  return list.map((device, index) => new Option(device.label || `Device ${index + 1}`, device.deviceId, false, device.deviceId === used));
}
