/** A network namespace for peers that do not speak over the loopback interface, as baresip. No packet can leave it. */
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Program, find } from "./program.mjs";

/** The cable's address: where the peers are. */
export const ADDRESS = "127.0.0.9";
export const CABLE = "phone0";
const INSIDE = "HOUSECALL_BROWSER_INSIDE";
const LIMIT_SECONDS = 240;

/**
 * Runs the spec at `url` again inside a namespace of its own, where this returns true. Outside it is one test, skipped
 * with the reason where the namespace or one of the programs cannot be had.
 * @param {string} url of the spec
 * @param {string[]} programs that it needs
 */
export function inside(url, programs) {
  if (process.env[INSIDE]) return true;
  const missing = programs.filter((name) => !find(name));
  const reason = missing.length > 0 ? `not installed: ${missing.join(", ")}` : process.getuid?.() !== 0 && "needs root";
  test("calls in a network of their own", { skip: reason || false, timeout: (LIMIT_SECONDS + 10) * 1000 }, async () => {
    const name = `housecall-browser-${process.pid}`;
    try {
      make(name);
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const words = ["netns", "exec", name, process.execPath, "--test-reporter=spec", fileURLToPath(url)];
      const run = new Program(find("ip"), words, { env: { ...env, [INSIDE]: "1" } });
      const code = await run.ended(LIMIT_SECONDS).finally(() => run.stop());
      if (code !== 0) throw new Error(`inside:\n${run.log(200)}`);
      console.log(run.log(200));
    } finally {
      spawnSync(find("ip"), ["netns", "del", name]);
    }
  });
  return false;
}

function make(name) {
  const far = `${CABLE}far`;
  const within = (words) => ["-n", name, ...words.split(" ")];
  for (const words of [
    ["netns", "add", name],
    within("link set lo up"),
    within(`link add ${CABLE} type veth peer name ${far}`),
    within(`addr add ${ADDRESS}/32 dev ${CABLE}`),
    within(`link set ${CABLE} up`),
    within(`link set ${far} up`),
  ]) {
    const { status, stderr } = spawnSync(find("ip"), words);
    if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
  }
}
