import { maybePart, part, pressed, say, setBusy, setIcon, show } from "../lib/dom.js";
import { watchLevel } from "../lib/level.js";
import { setLevel } from "../lib/meterbar.js";
import { bindPicker } from "../lib/picker.js";
import { playTest } from "../lib/speaker.js";
import { initials } from "../lib/words.js";

/**
 * The card in which a person sees and hears themself before the visit (V4).
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 * @typedef {import("../lib/devices.js").Devices} Devices
 */

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
export function bindPreview(root, session) {
  const { devices } = session;
  say(part(root, "preview-avatar"), initials(root.dataset.you ?? ""));
  const picker = part(root, "devices");
  // On a phone the patients and the price come before the choice of devices.
  if (matchMedia("(max-width: 760px)").matches) picker.removeAttribute("open");
  bindPicker(picker, devices);
  bindLevel(root, devices);
  bindSwitches(root, session);
  bindTest(root, devices);
  const draw = () => drawPreview(root, devices);
  devices.addEventListener("tracks", draw);
  session.addEventListener("change", draw);
}

/**
 * @param {HTMLElement} root
 * @param {Devices} devices
 */
function drawPreview(root, devices) {
  const tile = part(root, "preview-tile");
  const video = /** @type {HTMLVideoElement} */ (part(root, "preview-video"));
  const { video: camera, audio: microphone } = devices.tracks;
  showTrack(video, camera);
  tile.classList.toggle("no-picture", !camera);
  say(part(root, "preview-says"), devices.cameraOff ? "Your camera is off" : "");
  chip(part(root, "camera-chip"), devices.cameraOff ? "Camera off" : camera ? "Camera works" : "No camera", devices.cameraOff ? "" : camera ? "good" : "warn");
  chip(part(root, "microphone-chip"), devices.muted ? "Muted" : microphone ? "Microphone works" : "No microphone", devices.muted ? "" : microphone ? "good" : "warn");
  drawSwitch(part(root, "preview-mute"), devices.muted, ["mic", "mic-off"], ["Mute", "Unmute"], "M");
  drawSwitch(part(root, "preview-camera"), devices.cameraOff, ["video", "video-off"], ["Turn camera off", "Turn camera on"], "V");
  drawTrouble(root, devices);
}

/**
 * @param {HTMLElement} root
 * @param {Devices} devices
 */
function drawTrouble(root, devices) {
  const words = [devices.trouble.audio, devices.cameraOff ? null : devices.trouble.video].filter((trouble) => trouble !== null);
  say(part(root, "trouble-words"), words.join(" "));
  show(part(root, "trouble"), words.length > 0);
}

/**
 * @param {HTMLVideoElement} video
 * @param {MediaStreamTrack | null} track
 */
export function showTrack(video, track) {
  const shown = video.srcObject instanceof MediaStream ? (video.srcObject.getVideoTracks()[0] ?? null) : null;
  if (shown === track) return;
  video.srcObject = track ? new MediaStream([track]) : null;
}

/**
 * @param {HTMLElement} element
 * @param {string} words
 * @param {"" | "good" | "warn"} tone
 */
function chip(element, words, tone) {
  say(element, words);
  element.classList.toggle("good", tone === "good");
  element.classList.toggle("warn", tone === "warn");
}

/**
 * Draws a two-state button: pressed means off.
 * @param {HTMLElement} button
 * @param {boolean} off
 * @param {[string, string]} icons on, off
 * @param {[string, string]} verbs what a press does when on, when off
 * @param {string} key
 */
export function drawSwitch(button, off, icons, verbs, key) {
  const verb = verbs[off ? 1 : 0];
  button.setAttribute("aria-pressed", String(off));
  button.title = `${verb} (${key})`;
  setIcon(button, icons[off ? 1 : 0]);
  say(button.querySelector("span:last-of-type"), verb);
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function bindSwitches(root, session) {
  pressed(part(root, "preview-mute"), () => session.setMuted(!session.devices.muted));
  pressed(part(root, "preview-camera"), () => void session.setCameraOff(!session.devices.cameraOff));
  pressed(part(root, "try-again"), () => void session.devices.start());
}

/**
 * @param {HTMLElement} root
 * @param {Devices} devices
 */
function bindLevel(root, devices) {
  const meter = part(root, "level");
  /** @type {MediaStreamTrack | null} */
  let watched = null;
  let stop = () => {};
  let loudest = 0;
  devices.addEventListener("tracks", () => {
    if (devices.tracks.audio === watched) return;
    stop();
    watched = devices.tracks.audio;
    setLevel(meter, 0);
    stop = watched ? watchLevel(watched, heard) : () => {};
  });
  const words = maybePart(root, "level-words");
  /** @param {number} level */
  function heard(level) {
    setLevel(meter, level);
    loudest = Math.max(loudest, level);
    say(words, devices.muted ? "muted" : loudest > 0.35 ? "we hear you" : "say something");
  }
}

/**
 * @param {HTMLElement} root
 * @param {Devices} devices
 */
function bindTest(root, devices) {
  const button = part(root, "test-sound");
  const words = part(root, "test-sound-words");
  pressed(button, async () => {
    setBusy(button, true);
    say(words, "Playing four notes…");
    await playTest(devices.chosen.speaker);
    setBusy(button, false);
    say(words, "Not heard? Choose another speaker, or play again");
  });
}
