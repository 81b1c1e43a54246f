import { copyOf, mark, say } from "../lib/dom.js";
import { initials, waited } from "../lib/words.js";
import { lineWords } from "./phone.js";
import { isAdmitted, patients } from "./stage.js";

/**
 * The practitioner's list of patients, with what can be done for each.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 * @typedef {import("../lib/types.js").Person} Person
 * @typedef {import("../lib/types.js").Seat} Seat
 * @typedef {{ words: string, tone: "" | "good" | "warn", since: string, act: "admit" | "send_back" | "phone" | null }} Row
 */

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} root has the row's template
 * @param {VisitSession} session
 */
export function drawPeople(list, root, session) {
  if (!session.view) return;
  const people = patients(session.view);
  const canRing = session.view.phase === "open" && root.querySelector(".tile-phone") !== null;
  for (const person of people) fillRow(rowOf(list, root, session, person.seat), person, rowFor(person, canRing));
  for (const row of list.querySelectorAll("li")) {
    if (!people.some((person) => person.seat === row.dataset.seat)) row.remove();
  }
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {Seat} seat
 * @returns {HTMLElement}
 */
function rowOf(list, root, session, seat) {
  const found = list.querySelector(`li[data-seat="${seat}"]`);
  if (found instanceof HTMLElement) return found;
  const row = copyOf(root, "person-row");
  row.dataset.seat = seat;
  row.querySelector(".avatar")?.classList.add({ patient_1: "a", patient_2: "b", patient_3: "c", practitioner: "d" }[seat]);
  row.querySelector(".act")?.addEventListener("click", () => {
    if (row.dataset.act === "admit") session.admit(seat);
    else if (row.dataset.act === "send_back") session.sendBack(seat);
    else if (row.dataset.act === "phone") session.askPhone(seat);
  });
  list.append(row);
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Person} person
 * @param {Row} shown
 */
function fillRow(row, person, shown) {
  mark(row, "place", person.place);
  mark(row, "act", shown.act);
  say(row.querySelector(".avatar"), initials(person.name));
  say(row.querySelector(".name"), person.name);
  const chip = row.querySelector(".chip");
  say(chip, shown.words);
  chip?.classList.toggle("good", shown.tone === "good");
  chip?.classList.toggle("warn", shown.tone === "warn");
  say(row.querySelector(".since"), shown.since);
  fillAct(/** @type {HTMLButtonElement} */ (row.querySelector(".act")), person, shown.act);
}

/**
 * @param {HTMLButtonElement} button
 * @param {Person} person
 * @param {Row["act"]} act
 */
function fillAct(button, person, act) {
  button.hidden = act === null;
  say(button, { admit: "Admit", send_back: "Send back", phone: "Continue by phone" }[act ?? "send_back"]);
  button.classList.toggle("primary", act === "admit");
  button.classList.toggle("quiet", act === "send_back" || act === "phone");
  button.setAttribute("aria-label", { admit: `Admit ${person.name}`, send_back: `Send ${person.name} back to the waiting room`, phone: `Continue by phone with ${person.name}` }[act ?? "send_back"]);
  button.title = act === "send_back" ? "Back to the waiting room" : "";
}

/**
 * @param {Person} person
 * @param {boolean} canRing
 * @returns {Row}
 */
function rowFor(person, canRing) {
  const { phone } = person;
  if (person.by_phone) return { words: "On the phone", tone: "good", since: phone ? lineWords(phone) : "", act: "send_back" };
  if (phone && phone.state !== "ended") return { words: "Ringing", tone: "", since: phone.words, act: null };
  if (isAdmitted(person) && person.place === "reconnecting") return { words: "Reconnecting", tone: "warn", since: "The connection was lost; it is being mended", act: "send_back" };
  switch (person.place) {
    case "waiting":
      return { words: "Waiting", tone: "good", since: person.waiting_ms === null ? "" : arrived(person.waiting_ms), act: "admit" };
    case "in_room":
      return { words: "Admitted", tone: "", since: deviceWords(person), act: "send_back" };
    case "left":
      return { words: "Left", tone: "", since: "May come back with the same link", act: canRing ? "phone" : null };
    default:
      return { words: "Not here yet", tone: "", since: "", act: null };
  }
}

/** @param {number} ms @returns {string} */
function arrived(ms) {
  return ms < 60_000 ? "Arrived just now" : `Waiting ${waited(ms)}`;
}

/** @param {Person} person @returns {string} */
function deviceWords(person) {
  const off = [person.muted ? "muted" : "", person.camera_off ? "camera off" : ""].filter(Boolean).join(", ");
  return off ? off[0]?.toUpperCase() + off.slice(1) : "";
}
