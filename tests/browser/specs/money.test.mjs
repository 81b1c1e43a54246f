import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { balance, book, words } from "../harness/staff.mjs";
import { browser, clinic, close, doctor, open } from "../harness/suite.mjs";
import { admit, arrive, atStage, join, press, seesAndHears } from "../harness/visit.mjs";
import { until } from "../harness/wait.mjs";

before(open);
after(close);

test("M1, C1: sixteen minutes with two patients cost 8 credits, and the report shows it", { timeout: 120_000 }, async () => {
  const before = await balance(doctor);
  const { id, patients } = await book(doctor, { count: 2 });
  const pages = [];
  for (const patient of patients) pages.push(await arrive(browser, doctor, id, patient));
  await join(doctor, id);
  await admit(doctor, 2);
  for (const page of pages) await atStage(page, "room");
  await Promise.all([doctor, ...pages].map((page) => seesAndHears(page, 2)));

  await clinic.advance(16);
  await until("8 credits so far", async () => /^8 credits so far/.test(await words(doctor, '[data-part="cost"]')));
  await press(doctor, "disconnect");
  await press(doctor, "disconnect-now");
  await atStage(doctor, "ended");
  assert.match(await words(doctor, '[data-part="after-cost"]'), /^8 credits$/);

  await doctor.goto(`${clinic.origin}/reports/video`);
  const rows = await doctor.$$eval("tbody tr", (all) => all.map((row) => row.innerText.replace(/\s+/g, " ")));
  const row = rows.find((text) => patients.every((patient) => text.includes(patient.name)));
  assert.ok(row, `the visit is among ${JSON.stringify(rows)}`);
  assert.match(row, /\b8\b/);
  await Promise.all([doctor.waitForNavigation(), doctor.click('tbody a[title="Why"]')]);
  const why = (await doctor.$eval("main", (it) => it.innerText)).replace(/\s+/g, " ");
  assert.match(why, /Why it cost 8 credits/);
  assert.match(why, /every block from Join to Disconnect/);
  assert.ok((await doctor.$$("figure.attendance rect.block")).length >= 2, "blocks are drawn");
  assert.ok((await doctor.$$("figure.attendance rect.here")).length >= 3, "so is everybody's time");
  assert.equal(await balance(doctor), before - 8);
});
