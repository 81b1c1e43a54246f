import { part, pressed, say, setBusy, show } from "../lib/dom.js";
import { playChime } from "../lib/speaker.js";
import { span } from "../lib/words.js";
import { drawPeople } from "./people.js";
import { patients } from "./stage.js";

/**
 * The practitioner's lobby: who waits, what it will cost, and Join.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 */

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {() => number} now the server's wall clock, unix milliseconds
 * @returns {() => void} draws
 */
export function bindPractitionerLobby(root, session, now) {
  pressed(part(root, "join"), () => session.join());
  pressed(part(root, "admit-all"), () => session.admitAll());
  bindArrivals(session);
  return () => {
    drawPeople(part(root, "people"), root, session);
    show(part(root, "admit-all"), waiting(session) > 1);
    drawJoin(root, session, now());
    drawCountdown(root, now());
    drawTitle(session);
  };
}

/** @param {VisitSession} session @returns {number} */
function waiting(session) {
  return session.view ? patients(session.view).filter((person) => person.place === "waiting").length : 0;
}

/**
 * V5: Join appears when it is nearly time; before that the same button says that it is early.
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {number} nowMs
 */
function drawJoin(root, session, nowMs) {
  const button = /** @type {HTMLButtonElement} */ (part(root, "join"));
  const opensInMs = Number(root.dataset.opensMs) - nowMs;
  const joining = session.link.isActive;
  setBusy(button, joining);
  if (!joining) button.disabled = !session.isOnline || !session.view;
  button.classList.toggle("primary", opensInMs <= 0);
  say(button, joining ? "Joining…" : opensInMs > 0 ? "Start now" : "Join and start the consultation");
  const early = opensInMs > 0 ? `It is early: the time to join comes in ${span(opensInMs)}. ` : "";
  say(part(root, "join-words"), `${early}The meter starts when you join. Credits are taken when you disconnect.`);
}

/**
 * @param {HTMLElement} root
 * @param {number} nowMs
 */
function drawCountdown(root, nowMs) {
  const chip = part(root, "countdown");
  const ms = Number(root.dataset.startsMs) - nowMs;
  const late = -ms >= 60_000;
  say(chip, late ? `Started ${span(-ms)} ago` : ms > 0 ? `Starts in ${span(ms)}` : "Starts now");
  chip.classList.toggle("warn", late);
  show(chip, true);
}

/** A soft chime and the tab's title say that somebody waits, even behind another window. @param {VisitSession} session */
function bindArrivals(session) {
  let before = 0;
  session.addEventListener("change", () => {
    const count = waiting(session);
    if (count > before) void playChime(session.devices.chosen.speaker);
    before = count;
  });
}

const plainTitle = document.title;

/** @param {VisitSession} session */
function drawTitle(session) {
  const count = waiting(session);
  const title = count > 0 ? `(${count} waiting) ${plainTitle}` : plainTitle;
  if (document.title !== title) document.title = title;
}
