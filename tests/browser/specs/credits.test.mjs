// M13: the office sees what its credits did, and records what was paid for them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { shot } from "../harness/shot.mjs";
import { administrator, balance, words } from "../harness/staff.mjs";
import { browser, clinic, close, open } from "../harness/suite.mjs";
import { until } from "../harness/wait.mjs";

before(open);
after(close);

/** Types into one field after the other, from the one named on, as somebody without a mouse does. */
async function typeFrom(page, name, texts) {
  await page.focus(`form[action="/credits/payments"] [name="${name}"]`);
  for (const text of texts) {
    await page.keyboard.type(text);
    await page.keyboard.press("Tab");
  }
}

const main = (page) => page.$eval("main", (it) => it.innerText.replace(/\s+/g, " "));

/** Nothing may be wider than the page: whoever reads on a phone should not have to push it about. */
async function fitsAPhone(page) {
  await page.setViewport({ width: 390, height: 844 });
  const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  await page.setViewport(null);
  assert.ok(needed <= there, `${needed} px in ${there}`);
}

test("a payment is recorded by keyboard, buys its credits once, and stands in the statement", { timeout: 60_000 }, async () => {
  const office = await administrator(browser, clinic);
  const before = await balance(office);
  await Promise.all([office.waitForNavigation(), office.click("a.credits")]);
  await typeFrom(office, "credits", ["100", "25.00", "receipt 12"]);
  await Promise.all([office.waitForNavigation(), office.keyboard.press("Enter")]);
  assert.equal(new URL(office.url()).pathname, "/credits");
  const page = await main(office);
  assert.match(page, /Paid: receipt 12, says Robin/);
  assert.match(page, /100 credits 25\.00 AUD Paid/i);
  assert.equal(Number(await words(office, ".credits b")), before + 100);

  await typeFrom(office, "credits", ["100", "25.00", "receipt 12"]);
  await Promise.all([office.waitForNavigation(), office.keyboard.press("Enter")]);
  assert.match(await words(office, "[role=alert]"), /was recorded before/);
  assert.equal(await balance(office), before + 100);

  await office.goto(`${clinic.origin}/credits`);
  await until("the balance is drawn", () => office.$(".balance path"));
  await fitsAPhone(office);
  await shot("credits", office, { fullPage: true });
});
