import { part, pressed, say, setBusy, show } from "../lib/dom.js";
import { shortName, span, waited } from "../lib/words.js";
import { isAdmitted, me } from "./stage.js";

/**
 * The patient's lobby: when to check in, and what they are waiting for.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 * @typedef {{ title: string, words: string, canCheckIn: boolean, waiting: boolean }} Status
 */

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {() => number} now the server's wall clock, unix milliseconds
 * @returns {() => void} draws
 */
export function bindPatientLobby(root, session, now) {
  const button = part(root, "check-in");
  pressed(button, () => {
    setBusy(button, true);
    session.checkIn();
  });
  session.addEventListener("change", () => setBusy(button, false));
  session.addEventListener("refused", () => setBusy(button, false));
  const times = { at: root.dataset.at ?? "", opensMs: Number(root.dataset.opensMs), doctor: shortName(root.dataset.practitioner ?? "") };
  return () => draw(root, session, statusOf(session, times, now()));
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {Status} status
 */
function draw(root, session, status) {
  say(part(root, "now-title"), status.title);
  say(part(root, "now-words"), status.words);
  show(part(root, "check-in"), status.canCheckIn);
  show(part(root, "waiting-mark"), status.waiting);
  const ms = session.view && me(session.view)?.waiting_ms;
  if (ms !== null && ms !== undefined) say(part(root, "waited"), `Waiting ${waited(ms)}`.replace("Waiting just now", "You have just arrived"));
}

/**
 * @param {VisitSession} session
 * @param {{ at: string, opensMs: number, doctor: string }} times
 * @param {number} nowMs
 * @returns {Status}
 */
function statusOf(session, times, nowMs) {
  const self = session.view && me(session.view);
  const quiet = { canCheckIn: false, waiting: false };
  if (!session.view) return { ...quiet, title: "One moment…", words: "Connecting to the clinic." };
  if (session.stage === "room") return { ...quiet, waiting: true, title: "Connecting you…", words: `${times.doctor} has let you in.` };
  if (self && isAdmitted(self)) return { ...quiet, waiting: true, title: "You are next", words: `${times.doctor} has let you in. The visit begins as soon as they join.` };
  if (session.stage === "waiting") {
    const words = `They can see that you are waiting. It usually takes a few minutes. Stay on this page; if it closes, open your link again.`;
    return { ...quiet, waiting: true, title: `${times.doctor} will let you in`, words };
  }
  const early = times.opensMs - nowMs;
  if (early > 0) {
    return { ...quiet, title: `You are early: check-in opens in ${span(early)}`, words: `Meanwhile you can try your camera, microphone and speaker below. Your visit is at ${times.at}.` };
  }
  return { ...quiet, canCheckIn: true, title: "Ready when you are", words: `Check that you can be seen and heard, then press the button: ${times.doctor} is told that you are here.` };
}
