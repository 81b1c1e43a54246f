/** Firefox, whose ICE, DTLS and codecs are its own. Without a sound card it hears with its meters alone, and says a tone of its own. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Bridge, dial, says } from "../harness/bridge.mjs";
import { FIREFOX, launchFirefox, voiceSent } from "../harness/browser.mjs";
import { NUMBERS } from "../harness/phone.mjs";
import { book } from "../harness/staff.mjs";
import { close, doctor, open } from "../harness/suite.mjs";
import { admit, arrive, atStage, join, press, seesAndHears } from "../harness/visit.mjs";
import { until } from "../harness/wait.mjs";

const skip = FIREFOX ? false : "firefox is not installed";

let bridge;
let firefox;

before(async () => {
  if (skip) return;
  await open();
  bridge = await Bridge.start();
  firefox = await launchFirefox();
});

after(async () => {
  await firefox?.close();
  await bridge?.stop();
  if (!skip) await close();
});

/** What it receives of the call: how loud the sound is now (full scale is 1), and how much of it was made up. */
const receives = (page) =>
  page.evaluate(async () => {
    const stats = [...(await document.housecallPeer.getStats()).values()];
    const { audioLevel, concealedSamples, totalSamplesReceived } = stats.find((it) => it.type === "inbound-rtp");
    return { audioLevel, concealed: concealedSamples / totalSamplesReceived };
  });

const hears = (page, what, isSo) =>
  until(`Firefox hears ${what}`, async () => {
    const sound = await receives(page);
    if (isSo(sound.audioLevel)) return true;
    throw new Error(JSON.stringify(sound));
  });

test("a call: its own tone from a phone that says what it hears, silence on hold, goodbye", { skip, timeout: 90_000 }, async () => {
  const page = await bridge.page(firefox);
  await dial(page, NUMBERS.echo);
  await says(page, "Ringing");
  await says(page, "Connected");
  await hears(page, "its tone", (level) => level > 0.05);
  const { codec, fmtp } = await voiceSent(page);
  assert.equal(codec, "audio/opus");
  assert.match(fmtp, /maxplaybackrate=8000/);
  await page.click("#hold");
  await says(page, "On hold");
  await hears(page, "silence", (level) => level < 0.002);
  await page.click("#hold");
  await says(page, "Connected");
  await hears(page, "its tone again", (level) => level > 0.05);
  const { concealed } = await receives(page);
  assert.ok(concealed < 0.1, `${concealed} of what it heard was made up`);
  await page.click("#hang-up");
  await says(page, "Call ended");
  assert.deepEqual(page.errors, []);
});

test("a consultation: a practitioner in Chromium and a patient in Firefox see and hear each other", { skip, timeout: 120_000 }, async () => {
  const { id, patients } = await book(doctor, { count: 1 });
  const patient = await arrive(firefox, doctor, id, patients[0]);
  await join(doctor, id);
  await admit(doctor, 1);
  await atStage(patient, "room");
  await Promise.all([doctor, patient].map((page) => seesAndHears(page, 1)));
  await patient.reload();
  await atStage(patient, "room");
  await Promise.all([doctor, patient].map((page) => seesAndHears(page, 1)));
  await press(doctor, "disconnect");
  await press(doctor, "disconnect-now");
  await atStage(patient, "ended");
  // What Firefox says, now and then, of the socket that a reload closes.
  const errors = patient.errors.filter((it) => !/socket was interrupted while the page was loading/.test(it));
  assert.deepEqual([...doctor.errors, ...errors], []);
});
