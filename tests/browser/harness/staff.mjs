import { person } from "./browser.mjs";
import { until } from "./wait.mjs";

/** The practice's time zone in the demonstration. */
const ZONE = "Australia/Sydney";

/**
 * Opens a page for the practitioner, signed in by the printed link.
 * @param {import("puppeteer-core").Browser} browser
 * @param {import("./clinic.mjs").Clinic} clinic
 */
export const practitioner = (browser, clinic) => signedIn(browser, clinic, "practitioner", "Dana Reed");

/** The same for the administrator. */
export const administrator = (browser, clinic) => signedIn(browser, clinic, "administrator", "Robin");

async function signedIn(browser, clinic, role, name) {
  const page = await person(browser, role);
  await page.goto(clinic.signInLink(name));
  await until(`the ${role} is signed in`, () => new URL(page.url()).pathname === "/calendar");
  return page;
}

/**
 * Books a telehealth appointment that starts in five minutes, with the first `count` patients of the clinic, or with those named.
 * @param {import("puppeteer-core").Page} page of the practitioner
 * @param {{ count?: number, names?: string[], minutes?: number }} wanted
 * @returns {Promise<{ id: number, patients: { id: string, name: string }[], others: { id: string, name: string }[] }>}
 */
export async function book(page, { count = 1, names, minutes = 50 }) {
  await page.goto(new URL("/appointments/new", page.url()).href);
  const everybody = await patientsOf(page);
  const patients = names ? names.map((name) => everybody.find((patient) => patient.name === name)) : everybody.slice(0, count);
  const { date, time } = inFiveMinutes();
  const fields = { date, time, minutes: String(minutes) };
  await page.evaluate(
    (values, ids) => {
      for (const [name, value] of Object.entries(values)) document.querySelector(`[name="${name}"]`).value = value;
      document.querySelector('[name="location"][value="telehealth"]').checked = true;
      document.querySelectorAll('[name="patient"]').forEach((select, place) => (select.value = ids[place] ?? ""));
    },
    fields,
    patients.map((patient) => patient.id),
  );
  await Promise.all([page.waitForNavigation(), page.click("form.card button.primary")]);
  const id = Number(new URL(page.url()).searchParams.get("open"));
  if (!id) throw new Error(`not booked: ${await words(page, "[role=alert]")}`);
  return { id, patients, others: everybody.filter((patient) => !patients.includes(patient)) };
}

/** Every patient that the form of an appointment offers. */
function patientsOf(page) {
  return page.$$eval('[name="patient"]', ([select]) =>
    [...select.options].filter((it) => it.value).map((it) => ({ id: it.value, name: it.text.split(" · ")[0] })),
  );
}

function inFiveMinutes() {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: ZONE,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).formatToParts(Date.now() + 5 * 60_000);
  const of = Object.fromEntries(parts.map((part) => [part.type, part.value]));
  return { date: `${of.year}-${of.month}-${of.day}`, time: `${of.hour}:${of.minute}` };
}

/**
 * Posts a form as the page itself would.
 * @param {import("puppeteer-core").Page} page
 * @param {string} path
 * @param {[string, string][]} fields
 * @returns {Promise<{ status: number, text: string }>}
 */
export function post(page, path, fields) {
  return page.evaluate(
    async (to, pairs) => {
      const response = await fetch(to, {
        method: "POST",
        headers: { accept: "application/json" },
        body: new URLSearchParams(pairs),
      });
      return { status: response.status, text: await response.text() };
    },
    path,
    fields,
  );
}

/** Makes a visit link for one patient, as *Copy link* does. */
export async function linkFor(page, appointment, patient) {
  const { status, text } = await post(page, `/appointments/${appointment}/links`, [["patient", patient.id]]);
  if (status !== 200) throw new Error(`no link for ${patient.name}: ${status} ${text}`);
  return JSON.parse(text).link;
}

/** What an element says. */
export function words(page, selector) {
  return page.$eval(selector, (element) => element.textContent.trim().replace(/\s+/g, " "));
}

/** The credits that the frame of every staff page shows. */
export async function balance(page) {
  await page.goto(new URL("/calendar", page.url()).href);
  return Number((await words(page, ".credits b")).replace(/\D/g, ""));
}
