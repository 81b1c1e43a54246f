import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { heard } from "../harness/browser.mjs";
import { NUMBERS, atState, call } from "../harness/phone.mjs";
import { balance, practitioner, words } from "../harness/staff.mjs";
import { again, browser, clinic, close, doctor, open } from "../harness/suite.mjs";
import { press } from "../harness/visit.mjs";
import { until } from "../harness/wait.mjs";

let credits;

beforeEach(async () => {
  await open();
  doctor.on("dialog", (dialog) => dialog.accept());
  credits = await balance(doctor);
  await call(doctor, NUMBERS.tone);
  await atState(doctor, "talking");
  await hearsTone();
});

afterEach(close);

const hearsTone = () => until("the page hears 1004 Hz", async () => Math.abs((await heard(doctor)).hz - 1004) < 6);

const readiness = async () => (await fetch(`${clinic.origin}/readyz`)).status;

/** Starts the program anew on the same data, and reads what the practice has; nothing may still be reserved. */
async function afterRestart() {
  await again();
  const page = await practitioner(browser, clinic);
  const left = await balance(page);
  assert.doesNotMatch(await words(page, ".credits"), /reserved/);
  return left;
}

test("a first SIGTERM lets the call go on and ends when it has ended", { timeout: 120_000 }, async () => {
  assert.equal(await readiness(), 200);
  clinic.signal("SIGTERM");
  await until("it says that it is not ready", async () => (await readiness()) === 503);
  await hearsTone();
  await press(doctor, "hang-up");
  await atState(doctor, "ended");
  assert.equal(await clinic.ended(20), 0);
  assert.equal(await afterRestart(), credits - 1);
});

test("a second SIGTERM hangs up and still settles", { timeout: 120_000 }, async () => {
  clinic.signal("SIGTERM");
  await until("it says that it is not ready", async () => (await readiness()) === 503);
  clinic.signal("SIGTERM");
  assert.equal(await clinic.ended(20), 0);
  assert.equal(await afterRestart(), credits - 1);
});

test("M11: a crash keeps no credit reserved and charges no more than what was seen", { timeout: 120_000 }, async () => {
  clinic.signal("SIGKILL");
  await clinic.ended(10);
  const left = await afterRestart();
  assert.ok(left === credits - 1 || left === credits, `${left} of ${credits} credits are left`);
});
