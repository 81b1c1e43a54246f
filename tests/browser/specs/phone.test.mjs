import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { heard } from "../harness/browser.mjs";
import { NUMBERS, atState, call, international } from "../harness/phone.mjs";
import { balance, words } from "../harness/staff.mjs";
import { clinic, close, doctor, open } from "../harness/suite.mjs";
import { press } from "../harness/visit.mjs";
import { throughout, until } from "../harness/wait.mjs";

/** Below this the page hears nothing; the analyser reads the decoder's own noise at −90. */
const SILENCE_DBFS = -60;

before(async () => {
  await open();
  doctor.on("dialog", (dialog) => dialog.accept());
});

after(close);

/** What the subscriber of a number hears now. */
const at = (number) => clinic.carrier(international(number));

const pageHearsTone = () =>
  until("the page hears 1004 Hz", async () => {
    const { hz, dbfs } = await heard(doctor);
    if (Math.abs(hz - 1004) < 6 && dbfs > -30) return true;
    throw new Error(`${hz.toFixed(0)} Hz at ${dbfs.toFixed(0)} dBFS`);
  });

const carrierHearsVoice = () =>
  until("the carrier hears the microphone", async () => {
    const { silent, level_dbfs } = await at(NUMBERS.tone);
    if (!silent) return true;
    throw new Error(`${level_dbfs} dBFS`);
  });

const isSilentAtCarrier = async () => (await at(NUMBERS.tone)).silent;

test("what they press at their phone is shown", { timeout: 60_000 }, async () => {
  await call(doctor, NUMBERS.keys);
  await atState(doctor, "talking");
  await until("the keys are shown", async () => (await words(doctor, '[data-part="keys-heard"]')) === "They pressed 1 * 5 #");
  await press(doctor, "hang-up");
  await atState(doctor, "ended");
});

test("P4: sound both ways, mute, hold with music, resume", { timeout: 120_000 }, async (t) => {
  await call(doctor, NUMBERS.tone);
  await atState(doctor, "talking");
  await pageHearsTone();
  await carrierHearsVoice();

  await t.test("mute is silence at the carrier, and the page still hears", async () => {
    await press(doctor, "mute");
    await until("silence at the carrier", isSilentAtCarrier);
    await throughout("silence at the carrier", isSilentAtCarrier, 2);
    await pageHearsTone();
    await press(doctor, "mute");
    await carrierHearsVoice();
  });

  await t.test("hold is music at the carrier and nothing of the callee at the page", async () => {
    await press(doctor, "hold");
    await doctor.waitForSelector('#call-panel[data-held="true"]');
    await until("music at the carrier", async () => {
      const call = await at(NUMBERS.tone);
      return call.held && call.music;
    });
    const pageIsSilent = async () => (await heard(doctor)).dbfs < SILENCE_DBFS;
    await until("nothing at the page", pageIsSilent);
    await throughout("nothing at the page", pageIsSilent, 2);
  });

  await t.test("resume restores both", async () => {
    await press(doctor, "hold");
    await doctor.waitForSelector("#call-panel:not([data-held])");
    await pageHearsTone();
    await until("no music at the carrier", async () => !(await at(NUMBERS.tone)).music);
    await carrierHearsVoice();
  });

  await press(doctor, "hang-up");
  await atState(doctor, "ended");
  assert.match(await words(doctor, '[data-part="after-facts"]'), /1 credit\b/);
  await until("the carrier's side is over", async () => (await at(NUMBERS.tone)).stage === "ended");
});

test("P4: the panel says that the call is encrypted, and that they have put us on hold", { timeout: 60_000 }, async () => {
  await call(doctor, NUMBERS.holdsUs);
  assert.equal(await isShown('[data-part="secured"]'), false, "nothing is agreed before the answer");
  await atState(doctor, "talking");
  await until("the line about encryption", () => isShown('[data-part="secured"]'));
  // The pretend network is spoken to over UDP: whoever reads that has the keys.
  assert.equal(await words(doctor, '[data-part="secured-words"]'), "Encrypted to the phone network; keys sent in the clear");
  assert.match(await words(doctor, '[data-part="secured-meaning"]'), /can listen in/);
  assert.match(await doctor.$eval('[data-part="secured"] use', (it) => it.getAttribute("href")), /#lock-open$/);
  assert.ok((await at(NUMBERS.holdsUs)).encrypted, "the carrier has it so");
  await doctor.waitForSelector('#call-panel[data-held-by-them="true"]');
  const byThem = "They have put you on hold: they cannot hear you";
  assert.equal(await words(doctor, '[data-part="words"]'), byThem);
  assert.equal(await words(doctor, '[data-part="announcer"]'), byThem);
  assert.ok(await isShown(".by-them"), "a sign beside the words");
  await doctor.waitForSelector("#call-panel:not([data-held-by-them])");
  assert.equal(await words(doctor, '[data-part="words"]'), "Connected");
  await press(doctor, "hang-up");
  await atState(doctor, "ended");
  assert.match(await words(doctor, '[data-part="after-facts"]'), /they held you for 00:0[23]/);
});

test("P4: the keypad's digits arrive exactly", { timeout: 60_000 }, async () => {
  await call(doctor, NUMBERS.readsDigits);
  await atState(doctor, "talking");
  await press(doctor, "keypad");
  const digits = "1590*#42";
  for (const digit of digits) await doctor.$eval(`[data-digit="${digit}"]`, (it) => it.click());
  await until("every digit is there", async () => (await at(NUMBERS.readsDigits)).digits.length >= digits.length);
  const exactly = async () => (await at(NUMBERS.readsDigits)).digits === digits;
  await throughout(`the digits are ${digits}`, exactly, 2);
  await press(doctor, "hang-up");
  await atState(doctor, "ended");
});

const REFUSALS = [
  ["busy", NUMBERS.busy, "busy", /busy/i],
  ["declined", NUMBERS.declines, "declined", /declined/i],
  ["unknown number", NUMBERS.unknown, "wrong_number", /number/i],
];

for (const [name, number, outcome, said] of REFUSALS) {
  test(`P3, P7: ${name} ends in words and costs nothing`, { timeout: 60_000 }, async () => {
    const before = await balance(doctor);
    await call(doctor, number);
    await endsFree(outcome, said);
    assert.equal(await balance(doctor), before);
  });
}

test("P3, P7: no answer ends after the ring limit, in words, and costs nothing", { timeout: 120_000 }, async () => {
  const before = await balance(doctor);
  await call(doctor, NUMBERS.noAnswer);
  await atState(doctor, "ringing");
  await endsFree("no_answer", /no answer|did not answer|nobody answered/i, 60);
  assert.equal(await balance(doctor), before);
});

test("P7: cancelled while ringing costs nothing", { timeout: 60_000 }, async () => {
  const before = await balance(doctor);
  await call(doctor, NUMBERS.noAnswer);
  await atState(doctor, "ringing");
  await press(doctor, "hang-up");
  await endsFree("cancelled", /cancelled/i);
  assert.equal(await balance(doctor), before);
});

test("P5, C1: the report has each call, with its status and its credits", { timeout: 30_000 }, async () => {
  await doctor.goto(`${clinic.origin}/reports/phone`);
  const rows = await doctor.$$eval("tbody tr", (all) =>
    all.map((row) => Object.fromEntries([...row.cells].map((cell) => [cell.dataset.label, cell.innerText.replace(/\s+/g, " ").trim()]))),
  );
  const held = rows.find((row) => row.Recipient.includes(NUMBERS.holdsUs));
  assert.match(held?.Hold ?? "", /0:0[23] by them/);
  assert.match(held?.Sound ?? "", /\bEncrypted, keys in the clear\b/);
  const unheard = rows.find((row) => row.Recipient.includes(NUMBERS.busy));
  assert.doesNotMatch(unheard?.Sound ?? "", /ncrypted/);
  const expected = [
    [NUMBERS.tone, /./, "1"],
    [NUMBERS.readsDigits, /./, "1"],
    [NUMBERS.busy, /busy/i, "0"],
    [NUMBERS.declines, /declined/i, "0"],
    [NUMBERS.unknown, /number/i, "0"],
    [NUMBERS.noAnswer, /no answer/i, "0"],
    [NUMBERS.noAnswer, /cancelled/i, "0"],
  ];
  for (const [number, status, credits] of expected) {
    const found = rows.find((row) => row.Recipient.includes(number) && status.test(row.Status));
    assert.equal(found?.Credits, credits, `${number} ${status} in ${JSON.stringify(rows)}`);
  }
});

const isShown = (selector) => doctor.$eval(`#call-panel ${selector}`, (it) => it.checkVisibility());

async function endsFree(outcome, said, seconds) {
  await atState(doctor, "ended", seconds);
  assert.equal(await doctor.$eval("#call-panel", (it) => it.dataset.outcome), outcome);
  assert.match(await words(doctor, '[data-part="outcome"]'), said);
  assert.match(await words(doctor, '[data-part="after-facts"]'), /Nothing was charged/);
}
