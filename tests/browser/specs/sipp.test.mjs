/** A real browser in a call with SIPp: sound before the answer, and after it our own come back, decoded here or not. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Bridge, dial, says } from "../harness/bridge.mjs";
import { heard, launch, voiceSent } from "../harness/browser.mjs";
import { find } from "../harness/program.mjs";
import { Sipp } from "../harness/sipp.mjs";
import { isTone, pcma } from "../harness/sound.mjs";
import { until } from "../harness/wait.mjs";

const OURS = { hz: 700, dbfs: -12 };
const EARLY = { hz: 500, dbfs: -15 };

const needs = { timeout: 60_000, skip: !find("sipp") && "sipp is not installed" };

/** What a call with SIPp needs, and how to ask what its page hears. */
async function called(t, ...words) {
  const sipp = await Sipp.start("early_sound", { "tone.pcma": pcma(EARLY) });
  t.after(() => sipp.stop());
  const bridge = await Bridge.start(await sipp.trunk(), ...words);
  t.after(() => bridge.stop());
  const browser = await launch();
  t.after(() => browser.close());
  const page = await bridge.page(browser, OURS);
  const hears = (tone) => until(`the page hears ${tone.hz} Hz`, async () => isTone(await heard(page), tone));
  await dial(page, "0491 570 006");
  return { sipp, page, hears };
}

async function hangUp({ sipp, page }) {
  await page.click("#hang-up");
  await says(page, "Call ended");
  await sipp.passed();
  assert.deepEqual(page.errors, []);
}

test("P3: sound before the answer, then our tone comes back", needs, async (t) => {
  const call = await called(t);
  const { page, hears } = call;
  await says(page, "Connecting");
  await hears(EARLY);
  assert.match(await page.$eval("#state", (it) => it.textContent), /Connecting/, "nobody has answered yet");
  await says(page, "Connected");
  await hears(OURS);
  await hangUp(call);
});

test("where G.711 may go straight through, the browser speaks it, before the answer and after", needs, async (t) => {
  const call = await called(t, "g711");
  const { page, hears } = call;
  await hears(EARLY);
  await says(page, "Connected");
  await hears(OURS);
  assert.equal((await voiceSent(page)).codec, "audio/PCMA");
  await hangUp(call);
});
