/**
 * Where one person stands in a visit, read from the room's view alone. A reload therefore loses nothing (V9).
 *
 *     arriving ──► waiting ──► room ──► ended
 *                     ▲         │ ▲
 *                     └─────────┘ └─► left
 *
 * moved: another page took the place. elsewhere: another device has it, and this page asks before it takes it.
 *
 * @typedef {import("../lib/types.js").RoomView} RoomView
 * @typedef {import("../lib/types.js").Person} Person
 * @typedef {import("../lib/types.js").Seat} Seat
 * @typedef {"arriving" | "waiting" | "room" | "left" | "ended" | "moved" | "elsewhere"} Stage
 */

/** @param {RoomView} view @returns {Stage} */
export function stageOf(view) {
  if (view.phase === "ended") return "ended";
  switch (me(view)?.place) {
    case "in_room":
    case "reconnecting":
      return view.phase === "open" ? "room" : "waiting";
    case "left":
      return "left";
    case "waiting":
      return "waiting";
    default:
      return "arriving";
  }
}

/** @param {RoomView} view @returns {Person | undefined} */
export function me(view) {
  return view.people.find((person) => person.seat === view.you);
}

/** Everybody but the viewer. @param {RoomView} view @returns {Person[]} */
export function others(view) {
  return view.people.filter((person) => person.seat !== view.you);
}

/** @param {RoomView} view @returns {Person[]} */
export function patients(view) {
  return view.people.filter((person) => person.seat !== "practitioner");
}

/** True from the moment of admission, even before the consultation is open. @param {Person} person @returns {boolean} */
export function isAdmitted(person) {
  return person.place === "in_room" || person.place === "reconnecting";
}

/**
 * What changed between two views, as sentences to be read aloud.
 * @param {RoomView | null} before
 * @param {RoomView} after
 * @returns {string[]}
 */
export function announcements(before, after) {
  if (!before) return [];
  const was = new Map(before.people.map((person) => [person.seat, person.place]));
  return others(after).flatMap((person) => sentence(person, was.get(person.seat), after) ?? []);
}

/**
 * @param {Person} person
 * @param {import("../lib/types.js").Place | undefined} was
 * @param {RoomView} view
 * @returns {string | null}
 */
function sentence(person, was, view) {
  if (person.place === was) return null;
  switch (person.place) {
    case "waiting":
      if (view.you !== "practitioner") return null;
      return was === "in_room" || was === "reconnecting" ? `${person.name} is back in the waiting room.` : `${person.name} is waiting.`;
    case "in_room":
      return was === "reconnecting" ? `${person.name} is back.` : `${person.name} joined.`;
    case "reconnecting":
      return was === "in_room" ? `${person.name} lost the connection and is being reconnected.` : null;
    case "left":
      return `${person.name} left.`;
    default:
      return null;
  }
}
