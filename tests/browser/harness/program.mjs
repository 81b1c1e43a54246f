import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { until } from "./wait.mjs";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../../..");
const STOP_SECONDS = 10;

/** A program that a spec starts and ends. */
export class Program {
  #child;
  #name;
  #lines = [];

  constructor(name, args, options = {}) {
    this.#name = name;
    this.#child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    this.#child.on("error", (error) => this.#lines.push(String(error)));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#lines.push(line));
    }
  }

  /** The first line with these words, once it is there. */
  says(words, seconds = 15) {
    return until(
      `${this.#name} says ${words}`,
      () => {
        const line = this.#lines.find((it) => it.includes(words));
        if (!line && !this.#alive()) throw new Error(`it has ended\n${this.log()}`);
        return line;
      },
      seconds,
    );
  }

  log(lines = 60) {
    return this.#lines.slice(-lines).join("\n");
  }

  /** Waits until it has ended by itself, and returns its exit code. */
  async ended(seconds) {
    await until(`${this.#name} has ended`, () => !this.#alive(), seconds);
    return this.#child.exitCode;
  }

  async stop() {
    if (!this.#alive()) return;
    const ended = new Promise((done) => this.#child.once("exit", done));
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_SECONDS * 1000);
    await ended;
    clearTimeout(timer);
  }

  #alive() {
    const { exitCode, signalCode, pid } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }
}

/** Where a program of the system is; undefined without it. */
export function find(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** One of our own programs: `housecall`, or `examples/bridge`. */
export function built(name) {
  const path = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "debug", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build --workspace --bin housecall --example bridge`);
  return path;
}
