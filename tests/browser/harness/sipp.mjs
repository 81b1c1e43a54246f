import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { Program, find } from "./program.mjs";

const SCENARIOS = resolve(fileURLToPath(import.meta.url), "../../scenarios");

/** SIPp plays the carrier for one call, and sends back on its own port for sound what comes there. */
export class Sipp {
  #folder;
  #program;
  #port;

  /**
   * @param {string} scenario
   * @param {Record<string, Buffer>} files beside it
   */
  static async start(scenario, files = {}) {
    const sipp = new Sipp();
    sipp.#folder = await mkdtemp(join(tmpdir(), "housecall-sipp-"));
    sipp.#port = await freePort();
    await copyFile(join(SCENARIOS, `${scenario}.xml`), join(sipp.#folder, "scenario.xml"));
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(sipp.#folder, name), bytes);
    const port = String(sipp.#port);
    const words = `-sf scenario.xml -rtp_echo -i 127.0.0.1 -p ${port} -mi 127.0.0.1 -mp ${sipp.#port + 2} -t u1 -m 1 -nostdin`;
    const limits = "-recv_timeout 40000 -timeout 50s -timeout_error -trace_err -error_file errors";
    sipp.#program = new Program(find("sipp"), `${words} ${limits}`.split(" "), { cwd: sipp.#folder });
    return sipp;
  }

  /** A trunk of ours to it, as the examples read it. A scenario waits for an INVITE, and for nothing before it. */
  async trunk() {
    const file = join(this.#folder, "trunk.toml");
    await writeFile(file, `host = "127.0.0.1"\nport = ${this.#port}\ntransport = "udp"\npings = false\n`);
    return file;
  }

  /** Waits for the end of the scenario. */
  async passed() {
    const code = await this.#program.ended(20);
    if (code !== 0) throw new Error(`sipp: ${code}\n${this.#program.log()}`);
  }

  async stop() {
    await this.#program.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((done) => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      // Its sound is at the even port two above, which must be in the range too.
      socket.close(() => done(port - (port % 2)));
    });
  });
}
