import { person } from "./browser.mjs";
import { Program, built } from "./program.mjs";
import { speaks } from "./sound.mjs";
import { until } from "./wait.mjs";

/** The example `bridge` on a free port, and its page. */
export class Bridge {
  #program;
  #origin;

  /**
   * @param {string} [trunk] a file; without one, its pretend network
   * @param {string[]} more what else it is told
   */
  static async start(trunk, ...more) {
    const bridge = new Bridge();
    bridge.#program = new Program(built("examples/bridge"), trunk ? ["0", trunk, ...more] : ["0"]);
    bridge.#origin = (await bridge.#program.says("open http")).match(/http\S+/)[0];
    return bridge;
  }

  /** The page of somebody whose microphone is a tone, or, without one, what the browser pretends. */
  async page(browser, tone) {
    const page = await person(browser, "caller");
    if (tone) await speaks(page, tone.hz, tone.dbfs);
    await page.goto(this.#origin);
    return page;
  }

  log() {
    return this.#program.log();
  }

  stop() {
    return this.#program.stop();
  }
}

/** Types a number and presses Enter. */
export async function dial(page, number) {
  await page.$eval("#number", (it, value) => ((it.value = value), it.focus()), number);
  await page.keyboard.press("Enter");
}

/** Waits until the page says how the call stands. */
export function says(page, words, seconds = 20) {
  return until(
    `the page says ${words}`,
    async () => {
      const said = await page.$eval("#state", (it) => it.textContent);
      if (said.includes(words)) return said;
      throw new Error(said);
    },
    seconds,
  );
}
