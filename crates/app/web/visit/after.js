import { maybePart, part, pressed, say, setIcon, show } from "../lib/dom.js";
import { clock, credits, shortName } from "../lib/words.js";

/**
 * The page when the room is behind one: ended, left, or held by another page.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 * @typedef {{ icon: string, title: string, words: string, act: string | null }} Last
 */

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @returns {() => void} draws
 */
export function bindAfter(root, session) {
  pressed(part(root, "after-act"), () => session.comeBack());
  return () => {
    const last = lastOf(root, session);
    if (last) draw(root, session, last);
  };
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {Last} last
 */
function draw(root, session, last) {
  setIcon(part(root, "after-icon"), last.icon);
  say(part(root, "after-title"), last.title);
  say(part(root, "after-words"), last.words);
  const act = part(root, "after-act");
  say(act, last.act ?? "");
  show(act, last.act !== null);
  const { view } = session;
  show(part(root, "after-facts"), session.stage === "ended" && view?.elapsed_ms != null);
  say(part(root, "after-length"), clock(view?.elapsed_ms ?? 0));
  say(maybePart(root, "after-cost"), view?.cost ? credits(view.cost.so_far) : "see the appointment");
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @returns {Last | null}
 */
function lastOf(root, session) {
  const doctor = shortName(root.dataset.practitioner ?? "");
  switch (session.stage) {
    case "ended":
      return { icon: "check", title: "The consultation has ended", words: endedWords(session, doctor), act: null };
    case "left":
      return { icon: "leave", title: "You left the consultation", words: `It goes on until ${session.isPractitioner ? "you disconnect" : `${doctor} ends it`}. You may come back.`, act: "Come back" };
    case "phone":
      return { icon: "phone", title: "You are on the phone", words: `Your phone has taken over: ${doctor} hears you there. You can put this page away, or come back by video; your phone is hung up then.`, act: "Come back by video" };
    case "moved":
      return { icon: "info", title: "Your visit is open in another window", words: "It was opened on another page or device, so this one let go.", act: "Move it here" };
    case "elsewhere":
      return { icon: "info", title: "You are in this visit on another device", words: "Move it here, and the other one lets go. Nobody else notices, and nothing is charged twice.", act: "Move the call here" };
    default:
      return null;
  }
}

/**
 * @param {VisitSession} session
 * @param {string} doctor
 * @returns {string}
 */
function endedWords(session, doctor) {
  const why = session.view?.ended;
  if (session.endedHere) return "You ended it for everyone.";
  if (session.isPractitioner) return why ?? "Everybody is disconnected.";
  return `${why ? `${why} ` : ""}Thank you for your visit${doctor ? ` with ${doctor}` : ""}. You can close this page.`;
}
