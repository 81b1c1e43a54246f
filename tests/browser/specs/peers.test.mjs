/** A real browser on one side and other people's telephones on the other, by the example with a call button. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Bridge, dial, says } from "../harness/bridge.mjs";
import { heard, launch } from "../harness/browser.mjs";
import { inside } from "../harness/network.mjs";
import { Registrar } from "../harness/registrar.mjs";
import { isTone } from "../harness/sound.mjs";
import { throughout, until } from "../harness/wait.mjs";

const OURS = { hz: 700, dbfs: -12 };
/** Below this nobody hears anything. */
const SILENCE_DBFS = -60;

if (inside(import.meta.url, ["kamailio", "baresip", "rtpengine"])) {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  for (const relayed of [false, true]) {
    for (const encrypted of [false, true]) {
      const way = `${relayed ? "through rtpengine" : "straight"}, ${encrypted ? "SRTP with keys by SDES" : "plain RTP"}`;
      test(`baresip ${way}: tones both ways, mute, hold, keys`, { timeout: 90_000 }, (t) => call(t, browser, { encrypted, relayed }));
    }
  }
}

async function call(t, browser, wanted) {
  const registrar = await Registrar.start(wanted);
  t.after(() => registrar.stop());
  const bridge = await Bridge.start(await registrar.trunk(wanted));
  t.after(() => bridge.stop());
  const page = await bridge.page(browser, OURS);

  const pageHears = () => until("the page hears the telephone", async () => isTone(await heard(page), registrar.said()));
  const phoneHears = () => until("the telephone hears the page", () => isTone(registrar.heard(), OURS));
  const phoneHearsNothing = () => registrar.heard().dbfs < SILENCE_DBFS;

  await dial(page, "0491 570 006");
  await says(page, "Connected");
  if (wanted.relayed) await registrar.relays();
  await pageHears();
  await phoneHears();

  await page.click("#mute");
  await until("nothing at the telephone", phoneHearsNothing);
  await throughout("nothing at the telephone", phoneHearsNothing, 1);
  await pageHears();
  await page.click("#mute");
  await phoneHears();

  await page.click("#hold");
  await says(page, "On hold");
  await until("the telephone says nothing, and gets our music", () => {
    const { sent, heard } = registrar.rates();
    if (sent === 0 && heard > 50_000) return true;
    throw new Error(`${sent} and ${heard} bit/s`);
  });
  await until("nothing at the page", async () => (await heard(page)).dbfs < SILENCE_DBFS);
  await page.click("#hold");
  await says(page, "Connected");
  await pageHears();
  await phoneHears();

  await page.focus("#hold");
  for (const key of "159#") await page.keyboard.press(key);
  await until("the keys are there", () => registrar.keys.length >= 4);
  assert.equal(registrar.keys, "159#");

  // One for each kind of key that a telephone has; the page says all that were pressed so far.
  await registrar.press("26*");
  await until("the page says what was pressed", async () => (await page.$eval("#pressed", (it) => it.textContent)) === "They pressed 2 6 *");

  await page.click("#hang-up");
  await says(page, "Call ended");
  assert.deepEqual(page.errors, []);
}
