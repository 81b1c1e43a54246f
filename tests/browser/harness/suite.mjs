/** What most specs begin with: a clinic, a browser, and a practitioner who is signed in. */
import { launch } from "./browser.mjs";
import { Clinic } from "./clinic.mjs";
import { practitioner } from "./staff.mjs";

/** @type {Clinic} */
export let clinic;
/** @type {import("puppeteer-core").Browser} */
export let browser;
/** @type {import("puppeteer-core").Page} */
export let doctor;

/** Starts all three; a hook of `before` or `beforeEach`. */
export async function open() {
  clinic = await Clinic.start();
  browser = await launch();
  doctor = await practitioner(browser, clinic);
}

/** Starts the program anew on the same data. */
export async function again() {
  clinic = await Clinic.start(clinic);
}

/** Ends them, as far as they came to be. */
export async function close() {
  await browser?.close();
  await clinic?.stop();
}
