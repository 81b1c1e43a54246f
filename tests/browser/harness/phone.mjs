import { words } from "./staff.mjs";
import { until } from "./wait.mjs";

/** The subscribers of the pretend network that the specs call, as people write their numbers. */
export const NUMBERS = {
  echo: "0491 570 006",
  tone: "0491 570 157",
  busy: "0491 570 158",
  noAnswer: "0491 570 159",
  declines: "0491 570 110",
  unknown: "0491 570 313",
  readsDigits: "0491 571 491",
  holdsUs: "0491 571 804",
  keys: "0491 574 118",
};

/** The number as the network knows it. */
export function international(number) {
  return `61${number.replace(/\s/g, "").slice(1)}`;
}

/** Finds whoever has the number, presses the call icon and then Call. */
export async function call(page, number) {
  await page.goto(new URL(`/people?q=${encodeURIComponent(number)}`, page.url()).href);
  await page.waitForSelector("[data-call-person]");
  await page.click("[data-call-person]");
  await page.waitForSelector('#call-panel[data-call-state="ready"]');
  await page.click('[data-part="dial"]');
}

/** Waits until the call panel stands at a state. */
export function atState(page, state, seconds = 20) {
  return until(
    `the call is ${state}`,
    async () => {
      const now = await page.$eval("#call-panel", (it) => ({ ...it.dataset }));
      if (now.callState === state) return true;
      throw new Error(`${JSON.stringify(now)} ${await words(page, '[data-part="words"]')}`);
    },
    seconds,
  );
}
