import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { book, linkFor, post, practitioner, words } from "../harness/staff.mjs";
import { browser, close, doctor, open } from "../harness/suite.mjs";
import { admit, arrive, atStage, join, press, seesAndHears } from "../harness/visit.mjs";
import { until } from "../harness/wait.mjs";

before(open);
after(close);

test("V2: practitioner and three patients see and hear one another, and a reload keeps the place", { timeout: 180_000 }, async (t) => {
  const { id, patients, others } = await book(doctor, { count: 3 });
  const pages = [];
  for (const patient of patients) pages.push(await arrive(browser, doctor, id, patient));

  await t.test("V2: a fourth patient is refused when saving", async () => {
    const four = [...patients, others[0]].map((patient) => ["patient", patient.id]);
    const fields = await doctor.evaluate(async (path) => {
      const form = new DOMParser().parseFromString(await (await fetch(path)).text(), "text/html").querySelector("form.card");
      return [...new FormData(form)].filter(([name]) => name !== "patient");
    }, `/appointments/${id}/edit`);
    const { status, text } = await post(doctor, `/appointments/${id}`, [...fields, ...four]);
    assert.equal(status, 422);
    assert.match(text, /three/);
  });

  await t.test("V2: a fourth patient is refused when joining", async () => {
    await assert.rejects(linkFor(doctor, id, others[0]), /no link for .* 4\d\d/);
  });

  // The browser writes the two refusals above to its console; nothing else may appear there.
  assert.equal(doctor.errors.splice(0).length, 2);
  await join(doctor, id);
  await admit(doctor, 3);
  const everybody = [doctor, ...pages];
  for (const page of pages) await atStage(page, "room");
  await Promise.all(everybody.map((page) => seesAndHears(page)));

  await t.test("V9: who reloads is back in place, and everybody sees them again", async () => {
    const [first] = pages;
    const seat = await first.$eval('[data-tile="own"]', (it) => it.dataset.seat);
    await press(first, "mute");
    await until("the practitioner sees the mute", () => words(doctor, '[data-part="room-people"]').then((it) => /Muted/.test(it)));
    await first.reload();
    await atStage(first, "room");
    await until("the seat is the same", () => first.$eval('[data-tile="own"]', (it, was) => it.dataset.seat === was, seat));
    assert.equal(await first.$eval('[data-part="mute"]', (it) => it.getAttribute("aria-pressed")), "true");
    await press(first, "mute");
    await Promise.all(everybody.map((page) => seesAndHears(page)));
  });

  await t.test("V8: a patient leaves and comes back; the practitioner ends it for everyone", async () => {
    const [first] = pages;
    await press(first, "leave");
    await atStage(first, "left");
    await press(first, "after-act");
    await atStage(first, "room");
    await seesAndHears(first);
    await press(doctor, "disconnect");
    await press(doctor, "disconnect-now");
    for (const page of everybody) await atStage(page, "ended");
  });

  assert.deepEqual(everybody.flatMap((page) => page.errors), []);
});
