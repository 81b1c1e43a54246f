/**
 * Where one person stands in a visit, read from the room's view alone. A reload therefore loses nothing (V9).
 *
 *     arriving ──► waiting ──► room ──► ended
 *                     ▲         │ ▲
 *                     └─────────┘ └─► left
 *
 * phone: the place is held by its person's phone (V13). moved: another page took the place. elsewhere: another device has it, and this page asks before it takes it.
 *
 * @typedef {import("../lib/types.js").RoomView} RoomView
 * @typedef {import("../lib/types.js").Person} Person
 * @typedef {import("../lib/types.js").Seat} Seat
 * @typedef {"arriving" | "waiting" | "room" | "phone" | "left" | "ended" | "moved" | "elsewhere"} Stage
 */

/** @param {RoomView} view @returns {Stage} */
export function stageOf(view) {
  if (view.phase === "ended") return "ended";
  if (me(view)?.by_phone) return "phone";
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
  const was = new Map(before.people.map((person) => [person.seat, person]));
  return others(after).flatMap((person) => {
    const earlier = was.get(person.seat);
    return byPhone(person, earlier) ?? sentence(person, earlier?.place, after) ?? [];
  });
}

/**
 * @param {Person} person
 * @param {Person | undefined} was
 * @returns {string | null}
 */
function byPhone(person, was) {
  if (person.by_phone && !was?.by_phone) return `${person.name} goes on by phone.`;
  if (!person.phone || person.phone.state === was?.phone?.state) return null;
  if (person.phone.state === "ringing") return `${person.name}'s phone is ringing.`;
  return person.phone.state === "ended" ? `${person.name}'s phone: ${person.phone.words}.` : null;
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
