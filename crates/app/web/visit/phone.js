import { mark, part, pressed, say, show } from "../lib/dom.js";
import { clock, credits } from "../lib/words.js";
import { others } from "./stage.js";

/**
 * V13: the practitioner has a patient go on by phone. The tiles of the patients, and the dialog that says first what it costs.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 * @typedef {import("../lib/types.js").Person} Person
 * @typedef {import("../lib/types.js").Phone} Phone
 * @typedef {import("../lib/types.js").PhoneChoice} PhoneChoice
 * @typedef {import("../lib/types.js").Seat} Seat
 */

/** How long a tile says how a call has ended. */
const ENDED_SHOWN_MS = 15_000;
const SOUNDS = { good: "Good line", fair: "Fair line", poor: "Poor line" };

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @returns {() => void} draws
 */
export function bindPhones(root, session) {
  const phones = [...root.querySelectorAll(".tile-phone")].map((box) => bindTile(/** @type {HTMLElement} */ (box), session));
  if (phones.length === 0) return () => {};
  bindDialog(root, session);
  return () => phones.forEach((draw) => draw());
}

/**
 * @param {HTMLElement} box
 * @param {VisitSession} session
 * @returns {() => void}
 */
function bindTile(box, session) {
  const tile = /** @type {HTMLElement} */ (box.closest(".tile"));
  const seat = () => /** @type {Seat} */ (tile.dataset.seat);
  // A press on the tile itself shows it large.
  box.addEventListener("click", (event) => event.stopPropagation());
  pressed(box.querySelector(".continue"), () => session.askPhone(seat()));
  pressed(box.querySelector(".hang-up"), () => session.hangUpPhone(seat()));
  const ended = new EndedWatch();
  return () => {
    const person = session.view && others(session.view).find((other) => other.seat === tile.dataset.seat);
    drawTile(box, person ?? null, ended.words(person?.phone ?? null), performance.now() - session.heardAt);
  };
}

/** Remembers how a call ended for as long as that is news. */
class EndedWatch {
  /** @type {string | null} */
  #state = null;
  #since = -Infinity;

  /** @param {Phone | null} phone @returns {string} */
  words(phone) {
    const before = this.#state;
    this.#state = phone?.state ?? null;
    if (phone?.state !== "ended") return "";
    // What had ended before this page was opened is no news.
    if (before !== null && before !== "ended") this.#since = performance.now();
    return performance.now() - this.#since < ENDED_SHOWN_MS ? phone.words : "";
  }
}

/**
 * @param {HTMLElement} box
 * @param {Person | null} person
 * @param {string} endedWords
 * @param {number} since milliseconds since the view came
 */
function drawTile(box, person, endedWords, since) {
  const phone = person?.phone ?? null;
  const ongoing = phone !== null && phone.state !== "ended";
  const words = ongoing ? [phone.words, lineWords(phone)].filter(Boolean).join(" · ") : endedWords;
  mark(box, "phone", ongoing ? phone.state : null);
  show(box.querySelector(".phone-line"), words !== "");
  say(box.querySelector(".phone-words"), words);
  const time = ongoing && phone.talk_ms !== null ? clock(phone.talk_ms + since) : "";
  say(box.querySelector(".phone-time"), time);
  const name = person?.name ?? "";
  const go = /** @type {HTMLElement} */ (box.querySelector(".continue"));
  show(go, person !== null && !ongoing);
  go.setAttribute("aria-label", `Continue by phone with ${name}`);
  const end = /** @type {HTMLElement} */ (box.querySelector(".hang-up"));
  show(end, ongoing);
  const verb = phone?.state === "talking" ? "Hang up" : "Cancel";
  say(end.querySelector("span"), verb);
  end.setAttribute("aria-label", phone?.state === "talking" ? `Hang up ${name}'s phone` : `Stop ringing ${name}`);
}

/** How a phone sounds; nothing while it is not judged. @param {Phone} phone @returns {string} */
export function lineWords(phone) {
  return phone.heard ? SOUNDS[phone.heard] : "";
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function bindDialog(root, session) {
  const dialog = /** @type {HTMLDialogElement} */ (part(root, "phone-dialog"));
  /** @type {Seat | null} */
  let seat = null;
  session.addEventListener("phone-choice", (event) => {
    const choice = /** @type {CustomEvent<PhoneChoice>} */ (event).detail;
    seat = choice.seat;
    fillDialog(root, choice);
    dialog.returnValue = "";
    if (!dialog.open) dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    const number = Number(/** @type {HTMLSelectElement} */ (part(root, "phone-number")).value);
    if (dialog.returnValue === "ring" && seat) session.ring(seat, number);
  });
}

/**
 * @param {HTMLElement} root
 * @param {PhoneChoice} choice
 */
function fillDialog(root, choice) {
  say(part(root, "phone-title"), `Continue by phone with ${choice.name}?`);
  const select = /** @type {HTMLSelectElement} */ (part(root, "phone-number"));
  select.replaceChildren(...choice.numbers.map((number) => new Option(`${number.number} · ${number.label}`, String(number.id))));
  say(part(root, "phone-from"), `They see ${choice.from}.`);
  say(part(root, "phone-price"), priceWords(choice));
}

/** @param {PhoneChoice} choice @returns {string} */
export function priceWords({ more, minutes }) {
  return more === 0 ? `Nothing more than by video for the next ${minutes} min` : `About ${credits(more)} more than by video for the next ${minutes} min`;
}
