import { maybePart, part, pressed, say, show } from "../lib/dom.js";
import { bindPicker } from "../lib/picker.js";
import { LineWatch, readStats } from "../lib/stats.js";
import { clock, credits, listed, shortName } from "../lib/words.js";
import { drawPeople } from "./people.js";
import { bindPhones } from "./phone.js";
import { drawSwitch } from "./preview.js";
import { me, others, patients } from "./stage.js";
import { Tiles } from "./tiles.js";

/**
 * The room: the bar with time and money, the tiles, the controls and, for the practitioner, the people.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 */

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @returns {() => void} draws
 */
export function bindRoom(root, session) {
  const tiles = new Tiles(root, session, (blocked) => show(part(root, "hear"), blocked));
  session.link.addEventListener("streams", () => tiles.attach());
  session.devices.addEventListener("tracks", () => tiles.draw());
  session.devices.addEventListener("list", () => void tiles.route());
  pressed(part(root, "hear"), () => tiles.play());
  bindControls(root, session);
  bindDisconnect(root, session);
  bindSide(root, session);
  const drawPhones = bindPhones(root, session);
  const line = bindLevels(session, tiles);
  return () => {
    if (session.stage !== "room") return;
    tiles.draw();
    drawPhones();
    drawBar(root, session, line());
    drawControls(root, session);
    drawAlone(root, session);
    drawSide(root, session);
  };
}

/**
 * Reads who speaks and how the line is, four times a second while there is a connection.
 * @param {VisitSession} session
 * @param {Tiles} tiles
 * @returns {() => import("../lib/stats.js").Quality}
 */
function bindLevels(session, tiles) {
  /** @type {import("../lib/stats.js").Quality} */
  let quality = "good";
  let watch = new LineWatch();
  session.link.addEventListener("streams", () => (watch = new LineWatch()));
  setInterval(async () => {
    const { connection, state, slotOfMid } = session.link;
    if (!connection || state !== "connected") return;
    const reading = await readStats(connection);
    quality = watch.judge(reading);
    const bySlot = new Map([...reading.levels].map(([mid, level]) => [slotOfMid.get(mid) ?? -1, level]));
    tiles.hear(bySlot, reading.ownLevel);
  }, 250);
  return () => quality;
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {import("../lib/stats.js").Quality} quality
 */
function drawBar(root, session, quality) {
  const { view } = session;
  if (!view) return;
  const since = performance.now() - session.heardAt;
  say(part(root, "room-title"), root.dataset.names ?? "");
  say(part(root, "elapsed"), view.elapsed_ms === null ? "" : clock(view.elapsed_ms + since));
  drawLine(part(root, "link-words"), session, quality);
  const cost = maybePart(root, "cost");
  show(cost, view.cost !== null);
  if (!view.cost) return;
  const next = view.cost.next_block_in_ms === null ? "" : ` · next block in ${clock(view.cost.next_block_in_ms - since)}`;
  say(cost, `${credits(view.cost.so_far)} so far${next}`);
  cost?.classList.toggle("warn", view.cost.available < 0);
  if (cost) cost.title = view.cost.available < 0 ? "The balance is below zero: this consultation goes on, the next one needs a top-up." : `${credits(view.cost.available)} available`;
}

/**
 * @param {HTMLElement} chip
 * @param {VisitSession} session
 * @param {import("../lib/stats.js").Quality} quality
 */
function drawLine(chip, session, quality) {
  const words = lineWords(session, quality);
  say(chip, words);
  show(chip, words !== "");
}

/**
 * @param {VisitSession} session
 * @param {import("../lib/stats.js").Quality} quality
 * @returns {string}
 */
function lineWords(session, quality) {
  const phone = session.view && me(session.view)?.phone?.state;
  if (phone === "dialing" || phone === "ringing") return "Your phone is ringing: pick it up";
  if (session.link.failures >= 3) return "Sound and picture do not get through yet; still trying";
  if (session.link.state === "joining") return "Connecting…";
  if (session.link.state === "reconnecting" || !session.isOnline) return "Reconnecting…";
  return { good: "", fair: "Your connection is unsteady", poor: "Your connection is weak" }[quality];
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function bindControls(root, session) {
  pressed(part(root, "mute"), () => session.setMuted(!session.devices.muted));
  pressed(part(root, "camera"), () => void session.setCameraOff(!session.devices.cameraOff));
  const dialog = /** @type {HTMLDialogElement} */ (part(root, "devices-dialog"));
  bindPicker(dialog, session.devices);
  pressed(part(root, "open-devices"), () => dialog.showModal());
  pressed(maybePart(root, "leave"), () => session.leave());
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function drawControls(root, session) {
  const { devices } = session;
  drawSwitch(part(root, "mute"), devices.muted, ["mic", "mic-off"], ["Mute", "Unmute"], "M");
  drawSwitch(part(root, "camera"), devices.cameraOff, ["video", "video-off"], ["Camera off", "Camera on"], "V");
  const trouble = [devices.trouble.audio, devices.cameraOff ? null : devices.trouble.video].filter((words) => words !== null).join(" ");
  say(part(root, "room-trouble"), trouble);
  show(part(root, "room-trouble"), trouble !== "");
}

/**
 * What to read while nobody else is there.
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function drawAlone(root, session) {
  const { view } = session;
  if (!view) return;
  const waiting = patients(view).filter((person) => person.place === "waiting").map((person) => shortName(person.name));
  const title = session.isPractitioner ? (waiting.length > 0 ? `${listed(waiting)} ${waiting.length > 1 ? "are" : "is"} waiting` : "Nobody else is here yet") : "You are in";
  const words = session.isPractitioner ? (waiting.length > 0 ? "Admit them under People." : "Patients appear here once you admit them.") : `${shortName(root.dataset.practitioner ?? "")} will be with you in a moment.`;
  say(part(root, "alone-title"), title);
  say(part(root, "alone-words"), words);
}

/**
 * V8: Disconnect ends it for everyone, so it asks first.
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function bindDisconnect(root, session) {
  const dialog = /** @type {HTMLDialogElement | null} */ (maybePart(root, "disconnect-dialog"));
  if (!dialog) return;
  pressed(maybePart(root, "disconnect"), () => {
    say(part(root, "disconnect-words"), disconnectWords(session));
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "end") session.disconnect();
  });
}

/** @param {VisitSession} session @returns {string} */
function disconnectWords(session) {
  const { view } = session;
  if (!view) return "";
  const here = others(view).filter((person) => person.place === "in_room" || person.place === "reconnecting").map((person) => person.name);
  const who = here.length > 0 ? `${listed(here)} will be disconnected` : "Nobody else is here";
  return view.cost ? `${who}, and the meter stops at ${credits(view.cost.so_far)}.` : `${who}.`;
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function bindSide(root, session) {
  const side = maybePart(root, "side");
  if (!side) return;
  const toggle = part(root, "people-toggle");
  const open = (/** @type {boolean} */ on) => {
    part(root, "room").classList.toggle("side-open", on);
    toggle.setAttribute("aria-expanded", String(on));
  };
  open(matchMedia("(min-width: 761px)").matches);
  pressed(toggle, () => open(toggle.getAttribute("aria-expanded") !== "true"));
  pressed(part(root, "side-close"), () => {
    open(false);
    toggle.focus();
  });
  pressed(maybePart(root, "room-admit-all"), () => session.admitAll());
  pressed(part(root, "notice-act"), () => session.admitAll());
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function drawSide(root, session) {
  const list = maybePart(root, "room-people");
  if (!list || !session.view) return;
  drawPeople(list, root, session);
  const waiting = patients(session.view).filter((person) => person.place === "waiting");
  show(maybePart(root, "room-admit-all"), waiting.length > 1);
  const badge = maybePart(root, "people-badge");
  say(badge, String(waiting.length));
  show(badge, waiting.length > 0);
  show(part(root, "notice"), waiting.length > 0);
  if (waiting.length === 0) return;
  say(part(root, "notice-words"), `${listed(waiting.map((person) => person.name))} ${waiting.length > 1 ? "are" : "is"} waiting`);
  say(part(root, "notice-act"), waiting.length > 1 ? "Admit all" : "Admit");
}
