/** A real browser in a call with SIPp: sound before the answer, and after it our own come back. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Bridge, dial, says } from "../harness/bridge.mjs";
import { heard, launch } from "../harness/browser.mjs";
import { find } from "../harness/program.mjs";
import { Sipp } from "../harness/sipp.mjs";
import { isTone, pcma } from "../harness/sound.mjs";
import { until } from "../harness/wait.mjs";

const OURS = { hz: 700, dbfs: -12 };
const EARLY = { hz: 500, dbfs: -15 };

test("P3: sound before the answer, then our tone comes back", { timeout: 60_000, skip: !find("sipp") && "sipp is not installed" }, async (t) => {
  const sipp = await Sipp.start("early_sound", { "tone.pcma": pcma(EARLY) });
  t.after(() => sipp.stop());
  const bridge = await Bridge.start(await sipp.trunk());
  t.after(() => bridge.stop());
  const browser = await launch();
  t.after(() => browser.close());
  const page = await bridge.page(browser, OURS);
  const hears = (tone) => until(`the page hears ${tone.hz} Hz`, async () => isTone(await heard(page), tone));

  await dial(page, "0491 570 006");
  await says(page, "Connecting");
  await hears(EARLY);
  assert.match(await page.$eval("#state", (it) => it.textContent), /Connecting/, "nobody has answered yet");
  await says(page, "Connected");
  await hears(OURS);
  await page.click("#hang-up");
  await says(page, "Call ended");
  await sipp.passed();
  assert.deepEqual(page.errors, []);
});
