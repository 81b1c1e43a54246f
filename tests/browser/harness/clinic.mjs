import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { built } from "./program.mjs";
import { until } from "./wait.mjs";

const STOP_SECONDS = 10;

/** The real program on a free port, with a data directory of its own. */
export class Clinic {
  #program;
  #directory;
  #lines = [];

  /**
   * Starts the program and waits until it answers.
   * @param {Clinic} [before] a program that has ended: go on with its data
   * @param {Record<string, string>} [settings] variables that it is told
   */
  static async start(before, settings = {}) {
    const clinic = new Clinic();
    clinic.#directory = before ? before.#directory : await mkdtemp(join(tmpdir(), "housecall-"));
    clinic.#program = spawn(process.env.HOUSECALL_BINARY ?? built("housecall"), ["--port", settings.HOUSECALL_PORT ?? "0"], {
      cwd: clinic.#directory,
      env: { ...withoutSettings(process.env), HOUSECALL_TEST: "1", HOUSECALL_DATA: clinic.#directory, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [clinic.#program.stdout, clinic.#program.stderr]) {
      createInterface({ input: stream }).on("line", (line) => clinic.#lines.push(line));
    }
    try {
      await until("the program is ready", async () => !clinic.#alive() || (await fetch(`${clinic.origin}/readyz`)).ok, 30);
      if (!clinic.#alive()) throw new Error("the program ended at once");
    } catch (error) {
      await clinic.stop();
      throw new Error(`${error.message}\n${clinic.log()}`);
    }
    return clinic;
  }

  /** Every link that the program has printed. */
  get links() {
    return this.#lines.flatMap((line) => line.match(/https?:\/\/\S+/g) ?? []);
  }

  /** The printed link that signs a member of staff in; it is good once. */
  signInLink(name) {
    const at = this.#lines.findIndex((line) => line.includes(name));
    const links = this.#lines.slice(at).flatMap((line) => line.match(/https?:\/\/\S+\/sign-in\/link#\S+/g) ?? []);
    if (at < 0 || links.length === 0) throw new Error(`no link for ${name} in:\n${this.log()}`);
    return links[0];
  }

  /** The last lines that the program printed, for the message of a failed test. */
  log(lines = 40) {
    return this.#lines.slice(-lines).join("\n");
  }

  /** Where the program listens. */
  get origin() {
    return new URL(this.links[0]).origin;
  }

  /** Moves the meter's clock on. */
  async advance(minutes) {
    const response = await fetch(`${this.origin}/test/clock`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.origin },
      body: JSON.stringify({ advance_ms: minutes * 60_000 }),
    });
    if (!response.ok) throw new Error(`POST /test/clock: ${response.status} ${await response.text()}`);
  }

  /** What the pretend telephone network heard of the latest call to `number`. */
  async carrier(number) {
    const response = await fetch(`${this.origin}/test/carrier`);
    if (!response.ok) throw new Error(`GET /test/carrier: ${response.status}`);
    const { calls } = await response.json();
    return calls.findLast((call) => call.number === number);
  }

  /** Sends the program a signal, such as SIGTERM. */
  signal(name) {
    this.#program.kill(name);
  }

  /** Waits until the program has ended by itself, and returns its exit code; null after SIGKILL. */
  async ended(seconds) {
    await until("the program has ended", () => !this.#alive(), seconds);
    return this.#program.exitCode;
  }

  /** Ends the program, and only it. */
  async stop() {
    const program = this.#program;
    if (this.#alive()) {
      const ended = new Promise((done) => program.once("exit", done));
      program.kill("SIGTERM");
      const timer = setTimeout(() => program.kill("SIGKILL"), STOP_SECONDS * 1000);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  #alive() {
    const { exitCode, signalCode, pid } = this.#program;
    return pid !== undefined && exitCode === null && signalCode === null;
  }
}

/** The developer's own settings must not change what is tested. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("HOUSECALL_")));
}

