/** The example with a call button. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Bridge, dial, says } from "../harness/bridge.mjs";
import { heard, launch, voiceSent } from "../harness/browser.mjs";
import { NUMBERS } from "../harness/phone.mjs";
import { until } from "../harness/wait.mjs";

const OURS = { hz: 700, dbfs: -12 };

let bridge;
let browser;

before(async () => {
  bridge = await Bridge.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await bridge?.stop();
});

const hears = (page, hz) =>
  until(`the page hears ${hz} Hz`, async () => {
    const sound = await heard(page);
    if (Math.abs(sound.hz - hz) < 6 && sound.dbfs > -30) return true;
    throw new Error(JSON.stringify(sound));
  });

test("a call by keyboard: its state, its length, both levels, hold and hang-up", { timeout: 60_000 }, async () => {
  const page = await bridge.page(browser, OURS);
  await dial(page, NUMBERS.echo);
  await says(page, "Ringing");
  await says(page, "Connected");
  await hears(page, OURS.hz);
  const level = (id) => page.$eval(id, (it) => it.value);
  assert.ok((await level("#mine")) > -20 && (await level("#theirs")) > -30, "both levels are shown");
  await until("the time is shown", async () => /^0:0[1-9]$/.test(await page.$eval("#clock", (it) => it.textContent)));
  await page.focus("#hold");
  await page.keyboard.press("Enter");
  await says(page, "On hold");
  await page.keyboard.press("Enter");
  await says(page, "Connected");
  await hears(page, OURS.hz);
  await page.focus("#hang-up");
  await page.keyboard.press("Enter");
  await says(page, "Call ended");
  assert.equal(await page.evaluate(() => document.activeElement.id), "number", "ready for the next one");
  assert.deepEqual(page.errors, []);
});

test("Chromium takes it that the telephone hears no more than 8 kHz, and keeps its bits", { timeout: 60_000 }, async () => {
  const page = await bridge.page(browser, OURS);
  await dial(page, NUMBERS.echo);
  await says(page, "Connected");
  await hears(page, OURS.hz);
  const { fmtp, bits } = await voiceSent(page);
  assert.match(fmtp, /maxplaybackrate=8000/);
  assert.equal(bits, 32_000);
  await page.click("#hang-up");
  await says(page, "Call ended");
});

test("busy, and what may not be rung, in words", { timeout: 60_000 }, async () => {
  const page = await bridge.page(browser, OURS);
  await dial(page, NUMBERS.busy);
  await says(page, "busy");
  await dial(page, "000");
  await says(page, "mergency");
  assert.deepEqual(page.errors, []);
});

test("a page of somebody else rings nobody", { timeout: 30_000 }, async () => {
  const page = await bridge.page(browser, OURS);
  const to = page.url().replace(/^http/, "ws").replace("127.0.0.1", "localhost");
  const opened = await page.evaluate(
    (url) => new Promise((done) => Object.assign(new WebSocket(url), { onopen: () => done(true), onerror: () => done(false) })),
    `${to}call`,
  );
  assert.equal(opened, false);
});
