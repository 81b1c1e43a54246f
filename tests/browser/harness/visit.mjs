import { person, received } from "./browser.mjs";
import { linkFor } from "./staff.mjs";
import { until } from "./wait.mjs";

/** Sounds and pictures that a page of a full room receives: one of each from each of the three others. */
const OTHERS = 3;

/** Presses a button by its data-part, once it can be pressed. */
export async function press(page, part) {
  const selector = `[data-part="${part}"]`;
  await until(`${page.person} can press ${part}`, () => page.$eval(selector, (it) => it.checkVisibility() && !it.disabled));
  await page.$eval(selector, (it) => it.click());
}

/** Waits until the visit page stands at one of its stages. */
export function atStage(page, stage, seconds = 20) {
  return until(
    `${page.person} is at stage ${stage}`,
    async () => {
      const now = await page.$eval("#visit", (it) => ({ ...it.dataset }));
      if (now.stage === stage) return true;
      throw new Error(JSON.stringify(now));
    },
    seconds,
  );
}

/** Opens a patient's link on a page of their own and checks in. */
export async function arrive(browser, staffPage, appointment, patient) {
  const link = await linkFor(staffPage, appointment, patient);
  const page = await person(browser, patient.name);
  await page.goto(link);
  await page.waitForSelector("#visit");
  await press(page, "check-in");
  await atStage(page, "waiting");
  return page;
}

/** The practitioner opens the waiting room and joins, which starts the meter. */
export async function join(page, appointment) {
  await page.goto(new URL(`/appointments/${appointment}/visit`, page.url()).href);
  await press(page, "join");
  await atStage(page, "room");
}

/** The practitioner admits everybody who waits. */
export async function admit(page, patients) {
  if (patients > 1) return press(page, "room-admit-all");
  await until("a patient can be admitted", () => page.$eval('[data-part="room-people"] .act', (it) => !it.hidden && (it.click(), true)));
}

/**
 * Waits until sound and picture of `others` other people have grown on a page since now.
 * A picture has grown by ten frames; sound has grown by any energy at all.
 */
export async function seesAndHears(page, others = OTHERS, seconds = 30) {
  const before = new Map((await received(page)).map((track) => [track.mid, track]));
  const grown = (track) => {
    const { frames = 0, energy = 0 } = before.get(track.mid) ?? {};
    return track.kind === "video" ? track.frames >= frames + 10 : track.energy > energy;
  };
  await until(
    `${page.person} sees and hears ${others} others`,
    async () => {
      const live = (await received(page)).filter(grown);
      const count = (kind) => live.filter((track) => track.kind === kind).length;
      if (count("video") === others && count("audio") === others) return true;
      throw new Error(`${count("video")} pictures, ${count("audio")} sounds`);
    },
    seconds,
  );
}
