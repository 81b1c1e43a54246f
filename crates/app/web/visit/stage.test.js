import assert from "node:assert/strict";
import test from "node:test";
import { announcements, stageOf } from "./stage.js";

/**
 * @param {string} you
 * @param {string} phase
 * @param {Record<string, string>} places
 * @returns {any}
 */
function view(you, phase, places) {
  const people = Object.entries(places).map(([seat, place]) => ({ seat, place, name: seat }));
  return { type: "view", you, phase, people };
}

test("V9: a reload in the room is in the room", () => {
  assert.equal(stageOf(view("patient_1", "open", { patient_1: "in_room" })), "room");
  assert.equal(stageOf(view("practitioner", "open", { practitioner: "reconnecting" })), "room");
});

test("V10: admitted before the start still waits", () => {
  assert.equal(stageOf(view("patient_1", "waiting", { patient_1: "in_room" })), "waiting");
});

test("V8: whoever left may come back, until it has ended", () => {
  assert.equal(stageOf(view("patient_1", "open", { patient_1: "left" })), "left");
  assert.equal(stageOf(view("patient_1", "ended", { patient_1: "left" })), "ended");
});

test("a person without a place is arriving", () => {
  assert.equal(stageOf(view("patient_1", "waiting", { patient_1: "absent" })), "arriving");
  assert.equal(stageOf(view("patient_1", "waiting", {})), "arriving");
});

test("the first view announces nothing", () => {
  assert.deepEqual(announcements(null, view("practitioner", "open", { patient_1: "in_room" })), []);
});

test("joining, losing the connection, returning and leaving are announced once", () => {
  const places = ["waiting", "in_room", "reconnecting", "in_room", "left", "left"];
  const views = places.map((place) => view("practitioner", "open", { practitioner: "in_room", patient_1: place }));
  const heard = views.flatMap((after, index) => announcements(views[index - 1] ?? view("practitioner", "open", {}), after));
  assert.deepEqual(heard, [
    "patient_1 is waiting.",
    "patient_1 joined.",
    "patient_1 lost the connection and is being reconnected.",
    "patient_1 is back.",
    "patient_1 left.",
  ]);
});

test("V10: a patient is not told who else is waiting", () => {
  const before = view("patient_1", "open", { patient_1: "in_room" });
  const after = view("patient_1", "open", { patient_1: "in_room", patient_2: "waiting" });
  assert.deepEqual(announcements(before, after), []);
});

test("V13: whose phone has the place is on the phone, whatever the page wants", () => {
  const onPhone = view("patient_1", "open", { patient_1: "in_room" });
  onPhone.people[0].by_phone = true;
  assert.equal(stageOf(onPhone), "phone");
  assert.equal(stageOf({ ...onPhone, phase: "ended" }), "ended");
});

test("V13: ringing, going on by phone and how it ended are announced once", () => {
  const states = ["dialing", "ringing", "ringing", "talking", "ended"];
  const views = states.map((state) => {
    const next = view("practitioner", "open", { practitioner: "in_room", patient_1: state === "ended" ? "left" : "in_room" });
    next.people[1].by_phone = state === "talking";
    next.people[1].phone = { state, words: "The line is busy", talk_ms: null, heard: null };
    return next;
  });
  const heard = views.flatMap((after, index) => (index === 0 ? [] : announcements(views[index - 1], after)));
  assert.deepEqual(heard, ["patient_1's phone is ringing.", "patient_1 goes on by phone.", "patient_1's phone: The line is busy."]);
});
