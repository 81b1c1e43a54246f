import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { person } from "../harness/browser.mjs";
import { book, practitioner } from "../harness/staff.mjs";
import { browser, clinic, close, doctor, open } from "../harness/suite.mjs";
import { admit, arrive, atStage, join, seesAndHears } from "../harness/visit.mjs";

/** A message longer than the 64 KiB that a socket reads. */
const TOO_LONG = JSON.stringify({ type: "join", offer: "a".repeat(70_000) });

before(open);
after(close);

/**
 * Opens a socket of the page's own origin, says one thing, and returns what it is told for a refusal; `closed` when the socket closes first.
 * @param {import("puppeteer-core").Page} page
 * @param {string} path
 * @param {string} said
 */
function told(page, path, said) {
  return page.evaluate(
    (to, text) =>
      new Promise((done) => {
        const socket = new WebSocket(to);
        socket.onopen = () => socket.send(text);
        socket.onclose = () => done("closed");
        socket.onmessage = ({ data }) => {
          const { type, message } = JSON.parse(data);
          if (type === "refused") done(message);
        };
      }),
    path,
    said,
  );
}

test("hostile messages are refused in words, and the room goes on", { timeout: 120_000 }, async (t) => {
  const { id, patients } = await book(doctor, { count: 1 });
  const patient = await arrive(browser, doctor, id, patients[0]);
  await join(doctor, id);
  await admit(doctor, 1);
  await atStage(patient, "room");
  await Promise.all([doctor, patient].map((page) => seesAndHears(page, 1)));
  const visit = await patient.$eval("#visit", (it) => it.dataset.socket);

  const refused = [
    ["nonsense", visit, "no json", /does not understand/],
    ["what only the practitioner may do", visit, '{"type":"disconnect"}', /other side/],
    ["an offer that is none", visit, '{"type":"join","offer":"v=0"}', /offer|SDP|m-line|session/i],
    ["nonsense to the call panel", "/calls/socket", '{"type":"hold"}', /does not understand/],
    ["somebody who is not there", "/calls/socket", '{"type":"dial","person":"patient:999999","number_id":1,"offer":"v=0"}', /no longer|address book/],
  ];
  for (const [name, path, said, words] of refused) {
    await t.test(name, async () => {
      assert.match(await told(path === visit ? patient : doctor, path, said), words);
    });
  }
  await t.test("a message of over 64 KiB ends its socket", async () => {
    assert.equal(await told(patient, visit, TOO_LONG), "closed");
  });
  await t.test("without a cookie there is no socket", async () => {
    const stranger = await person(browser, "stranger");
    await stranger.goto(`${clinic.origin}/sign-in`);
    assert.equal(await told(stranger, visit, '{"type":"check_in"}'), "closed");
    assert.equal(await told(stranger, "/calls/socket", '{"type":"hang_up"}'), "closed");
  });

  await Promise.all([doctor, patient].map((page) => seesAndHears(page, 1)));
});
