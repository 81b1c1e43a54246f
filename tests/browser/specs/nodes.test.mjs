/** Two processes on one PostgreSQL database: the node that holds a consultation, and what becomes of it when that one is killed. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import { launch, person } from "../harness/browser.mjs";
import { Clinic } from "../harness/clinic.mjs";
import { Database, SKIPPED } from "../harness/database.mjs";
import { balance, book, linkFor, practitioner, words } from "../harness/staff.mjs";
import { admit, arrive, atStage, join, press, seesAndHears } from "../harness/visit.mjs";
import { until } from "../harness/wait.mjs";

/** What a practice is promised when a node is lost: the consultation goes on at another one within this many seconds. */
const LOST_SECONDS = 15;

let database;
let browser;

before(async () => {
  if (SKIPPED) return;
  database = new Database();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  database?.drop();
});

/** A node under a host name of its own, whose cookies no other one sees. */
async function node(t, name, host) {
  const port = await freePort();
  const settings = { HOUSECALL_DATABASE: database.url, HOUSECALL_NODE_NAME: name, HOUSECALL_PORT: String(port) };
  const clinic = await Clinic.start(undefined, { ...settings, HOUSECALL_PUBLIC_URL: `http://${host}:${port}` });
  t.after(() => clinic.stop());
  return clinic;
}

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer().on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** A second page of somebody, with the same cookies. */
async function tab(page, url) {
  const second = await page.browserContext().newPage();
  await second.goto(url);
  return second;
}

/** The addresses of the sockets that a page opens from now on, in their order. */
async function sockets(page) {
  const devtools = await page.createCDPSession();
  await devtools.send("Network.enable");
  const opened = [];
  devtools.on("Network.webSocketCreated", ({ url }) => opened.push(new URL(url)));
  return opened;
}

/** What a page is told that opens a socket. */
function answerTo(page, url) {
  return page.evaluate(
    (to) =>
      new Promise((told) => {
        const socket = new WebSocket(to);
        socket.onopen = () => told("welcome");
        socket.onerror = () => told("refused");
      }),
    url,
  );
}

test("a page is sent to the node that holds its consultation, and to another one when that is killed", { timeout: 180_000, skip: SKIPPED }, async (t) => {
  const one = await node(t, "one", "localhost");
  const two = await node(t, "two", "127.0.0.1");
  const secretary = await practitioner(browser, one);
  const doctor = await practitioner(browser, two);
  const credits = await balance(doctor);
  const { id, patients } = await book(secretary, { count: 1 });
  const [sam] = patients;
  // The room is where it was asked for first.
  const waiting = await arrive(browser, secretary, id, sam);
  const opened = await sockets(doctor);

  await t.test("the practitioner's page finds the patient at the other node by itself", async () => {
    await join(doctor, id);
    await admit(doctor, 1);
    await atStage(waiting, "room");
    await Promise.all([doctor, waiting].map((page) => seesAndHears(page, 1)));
    const [own, other] = opened.slice(-2);
    assert.equal(own.origin, two.origin.replace("http", "ws"));
    assert.equal(other.origin, one.origin.replace("http", "ws"));
    assert.match(other.search, /^\?pass=/);
    // The page is still its own: its camera and microphone need no new leave.
    assert.equal(new URL(doctor.url()).origin, two.origin);
    assert.equal(await answerTo(doctor, other.href), "refused", "a pass is good once");
  });

  await t.test("the owner is killed, and the consultation is opened again at the other within 15 s", async () => {
    // A sign of life, which is what a session is charged to.
    await until("the meter runs", async () => /^2 credits so far/.test(await words(doctor, '[data-part="cost"]')));
    await new Promise((done) => setTimeout(done, 6_000));
    const killed = performance.now();
    one.signal("SIGKILL");
    await until("the practitioner can join at the other node", () => doctor.$eval('[data-part="join"]', (it) => it.checkVisibility() && !it.disabled), LOST_SECONDS);
    await press(doctor, "join");
    await atStage(doctor, "room", LOST_SECONDS);
    const took = (performance.now() - killed) / 1000;
    assert.ok(took <= LOST_SECONDS, `${took} s`);
    t.diagnostic(`opened again after ${took.toFixed(1)} s`);
    const desk = await tab(doctor, `${two.origin}/calendar`);
    const link = await linkFor(desk, id, sam);
    await desk.close();
    const back = await person(browser, sam.name);
    await back.goto(link);
    await press(back, "check-in");
    await admit(doctor, 1);
    await atStage(back, "room");
    await Promise.all([doctor, back].map((page) => seesAndHears(page, 1)));
    await press(doctor, "disconnect");
    await press(doctor, "disconnect-now");
    await atStage(doctor, "ended");
  });

  await t.test("each of the two sessions is charged once, and nothing stays reserved", async () => {
    await until("what the killed node had is closed", async () => (await balance(doctor)) === credits - 4, LOST_SECONDS);
    assert.doesNotMatch(await words(doctor, ".credits"), /reserved/);
    assert.equal((await fetch(`${two.origin}/readyz`)).status, 200);
  });
});

test("a node that stops sends new consultations to one that stays", { timeout: 120_000, skip: SKIPPED }, async (t) => {
  const stopping = await node(t, "stopping", "localhost");
  const staying = await node(t, "staying", "127.0.0.1");
  const secretary = await practitioner(browser, staying);
  const doctor = await practitioner(browser, stopping);
  const held = await book(secretary, { count: 1 });
  const later = await book(secretary, { count: 1 });
  await join(doctor, held.id);
  stopping.signal("SIGTERM");
  await until("it says that it is not ready", async () => (await fetch(`${stopping.origin}/readyz`)).status === 503);
  // Who is in goes on, and may come back.
  await doctor.reload();
  await atStage(doctor, "room");
  const late = await tab(doctor, `${stopping.origin}/calendar`);
  const lines = await sockets(late);
  await late.goto(`${stopping.origin}/appointments/${later.id}/visit`);
  await until("it is sent to the node that stays", () => lines.some((url) => url.origin === staying.origin.replace("http", "ws")));
  await late.close();
  await press(doctor, "disconnect");
  await press(doctor, "disconnect-now");
  assert.equal(await stopping.ended(20), 0);
});
