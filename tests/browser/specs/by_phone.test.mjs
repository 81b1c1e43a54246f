// V13: a patient's video fails, and the consultation goes on with their phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { heard } from "../harness/browser.mjs";
import { NUMBERS, international } from "../harness/phone.mjs";
import { balance, book, words } from "../harness/staff.mjs";
import { shot } from "../harness/shot.mjs";
import { browser, clinic, close, doctor, open } from "../harness/suite.mjs";
import { admit, arrive, atStage, join, press, seesAndHears } from "../harness/visit.mjs";
import { until } from "../harness/wait.mjs";

before(open);
after(close);

const TILE = '[data-tile="0"]';
const CONTINUE = `${TILE} .continue`;
const LINE = `${TILE} .phone-line`;

/** A consultation of the practitioner with one patient, both on video. */
async function consultation(name) {
  const { id, patients } = await book(doctor, { names: [name] });
  const page = await arrive(browser, doctor, id, patients[0]);
  await join(doctor, id);
  await admit(doctor, 1);
  await atStage(page, "room");
  await Promise.all([doctor, page].map((it) => seesAndHears(it, 1)));
  return { id, page };
}

const visible = (page, selector) => page.$eval(selector, (it) => it.checkVisibility());

/** Presses *Continue by phone* on the patient's tile and confirms, by keyboard. */
async function ring() {
  await until("the tile offers the phone", () => visible(doctor, CONTINUE));
  await doctor.focus(CONTINUE);
  await doctor.keyboard.press("Enter");
  await until("the price is said first", () => doctor.$eval('[data-part="phone-dialog"]', (it) => it.open));
  await shot("dialog", doctor);
  await doctor.keyboard.press("Enter");
}

const phoneSays = (pattern) => until(`the tile says ${pattern}`, async () => {
  const said = (await visible(doctor, LINE)) ? await words(doctor, LINE) : "";
  if (pattern.test(said)) return true;
  throw new Error(said);
});

const doctorHearsTone = () =>
  until("the practitioner hears 1004 Hz", async () => {
    const { hz, dbfs } = await heard(doctor, 1);
    if (Math.abs(hz - 1004) < 6 && dbfs > -30) return true;
    throw new Error(`${hz.toFixed(0)} Hz at ${dbfs.toFixed(0)} dBFS`);
  });

const at = (number) => clinic.carrier(international(number));
const phoneHears = () => until("the phone hears the practitioner", async () => (await at(NUMBERS.tone)).silent === false);
const phoneIsGone = (number) => until("the phone is hung up", async () => (await at(number)).stage === "ended");

async function disconnect() {
  await press(doctor, "disconnect");
  await press(doctor, "disconnect-now");
  await atStage(doctor, "ended");
}

test("V13, M9: a phone rings, answers, takes the place of the video, and its minutes are charged and explained", { timeout: 180_000 }, async (t) => {
  const before = await balance(doctor);
  const { page } = await consultation("Ruth Okafor");
  await ring();
  const price = await words(doctor, '[data-part="phone-price"]');
  assert.match(price, /^About \d+ credits more than by video for the next 5\d min$/);
  await atStage(page, "phone");
  assert.match(await words(page, '[data-part="after-title"]'), /You are on the phone/);
  await shot("patient", page);
  await phoneSays(/^On the phone/);
  await doctorHearsTone();
  await phoneHears();
  assert.ok((await at(NUMBERS.tone)).caller_id.startsWith("+61"));
  await until("the tile meters the voice", () => doctor.$eval(`${TILE} .tile-level`, (it) => it.checkVisibility() && Number(it.ariaValueNow ?? it.getAttribute("aria-valuenow")) > 0));
  await until("the line is judged", () => phoneSays(/Good line|Fair line|Poor line/));
  await shot("talking", doctor);

  await t.test("M9: three minutes are three credits, more than the block's two", async () => {
    await clinic.advance(2.5);
    await until("3 credits so far", async () => /^3 credits so far/.test(await words(doctor, '[data-part="cost"]')));
  });

  await t.test("V13: a reload of the patient's page leaves the phone alone; pressed, it takes the place back", async () => {
    await page.reload();
    await atStage(page, "phone");
    await doctorHearsTone();
    await press(page, "after-act");
    await atStage(page, "room");
    await phoneIsGone(NUMBERS.tone);
    await Promise.all([doctor, page].map((it) => seesAndHears(it, 1)));
  });

  await t.test("V13: it may be rung again, and hung up", async () => {
    await ring();
    await phoneSays(/^On the phone/);
    await atStage(page, "phone");
    await doctor.$eval(`${TILE} .hang-up`, (it) => it.click());
    await phoneIsGone(NUMBERS.tone);
    await atStage(page, "left");
  });

  await disconnect();
  // Twice on the phone: three minutes and one.
  assert.match(await words(doctor, '[data-part="after-cost"]'), /^4 credits$/);
  assert.equal(await balance(doctor), before - 4);
  await t.test("M10: it is explained", async () => {
    await doctor.goto(`${clinic.origin}/reports/video`);
    await Promise.all([doctor.waitForNavigation(), doctor.click('tbody a[title="Why"]')]);
    await shot("explained", doctor);
    const why = (await doctor.$eval("main", (it) => it.innerText)).replace(/\s+/g, " ");
    assert.match(why, /Why it cost 4 credits/);
    assert.match(why, /minutes by phone, which are more than the block's price/);
    assert.match(why, /answered the phone/);
  });
  assert.deepEqual([...doctor.errors, ...page.errors], []);
});

test("V13: a phone that is busy, or rings in vain, changes nothing", { timeout: 120_000 }, async () => {
  const { page } = await consultation("Pat Doyle");
  await ring();
  await phoneSays(/busy/i);
  await shot("busy", doctor);
  assert.equal(await page.$eval("#visit", (it) => it.dataset.stage), "room");
  await seesAndHears(doctor, 1);
  await disconnect();

  const { page: other } = await consultation("Lee Park");
  await ring();
  await phoneSays(/ringing/);
  await until("the patient is told that their phone rings", async () => /Your phone is ringing/.test(await words(other, '[data-part="link-words"]')));
  await shot("ringing", doctor);
  await shot("patient-ringing", other);
  assert.equal(await other.$eval("#visit", (it) => it.dataset.stage), "room", "until the answer the video stays");
  await Promise.all([doctor, other].map((it) => seesAndHears(it, 1)));
  await doctor.$eval(`${TILE} .hang-up`, (it) => it.click());
  await phoneIsGone(NUMBERS.noAnswer);
  await until("the tile offers the phone again", () => visible(doctor, CONTINUE));
  assert.equal(await other.$eval("#visit", (it) => it.dataset.stage), "room");
  await ring();
  await phoneSays(/ringing/);
  await disconnect();
  await phoneIsGone(NUMBERS.noAnswer);
});
