/**
 * Kamailio with digest in front of baresip, on the cable; between them rtpengine, if wanted. The settings are those of
 * `tests/peers/registrar`.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { ADDRESS, CABLE } from "./network.mjs";
import { Program, find } from "./program.mjs";
import { measured, tail } from "./sound.mjs";
import { until } from "./wait.mjs";

const SETTINGS = resolve(fileURLToPath(import.meta.url), "../../../peers/registrar");
const PROXY_PORT = 5075;
const PHONE_PORT = 5092;
const CONTROL_PORT = 4444;
const RELAY_PORT = 2223;
const MODULES = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"];

export class Registrar {
  #folder;
  #relay;
  #proxy;
  #phone;
  #control;
  #keys = "";

  /** @param {{ encrypted: boolean, relayed: boolean }} wanted SRTP by SDES; sound through rtpengine */
  static async start({ encrypted, relayed }) {
    const registrar = new Registrar();
    await registrar.#start(encrypted ? ";mediaenc=srtp-mand" : "", relayed);
    return registrar;
  }

  async #start(encryption, relayed) {
    this.#folder = await mkdtemp(join(tmpdir(), "housecall-registrar-"));
    await this.#write(encryption);
    const file = join(this.#folder, "kamailio.cfg");
    const words = ["-DD", "-E", "-m", "64", "-M", "8", "-f", file, "-Y", this.#folder];
    if (relayed) {
      const ports = `--listen-ng=${ADDRESS}:${RELAY_PORT} --port-min=30000 --port-max=30100`;
      const manner = "--config-file=none --table=-1 --foreground --log-stderr";
      this.#relay = new Program(find("rtpengine"), `${manner} --interface=${ADDRESS} ${ports}`.split(" "));
      await this.#relay.says("Startup complete");
      words.push("-A", "RELAY");
    }
    this.#proxy = new Program(find("kamailio"), words);
    await until("kamailio listens", () => this.#connects(PROXY_PORT));
    this.#phone = new Program(find("baresip"), ["-f", this.#folder, "-v"]);
    await this.#phone.says("200 OK (kamailio");
    this.#control = await this.#connects(CONTROL_PORT);
    this.#control.on("data", (data) => this.#hear(String(data)));
  }

  async #write(encryption) {
    const words = {
      address: ADDRESS,
      port: PROXY_PORT,
      phone_port: PHONE_PORT,
      control_port: CONTROL_PORT,
      folder: this.#folder,
      interface: CABLE,
      modules: MODULES.find((path) => existsSync(path)) ?? "",
      transport: "udp",
      encryption,
    };
    for (const [from, to] of [
      ["kamailio.cfg", "kamailio.cfg"],
      ["baresip.config", "config"],
      ["baresip.accounts", "accounts"],
    ]) {
      const text = await readFile(join(SETTINGS, from), "utf8");
      await writeFile(join(this.#folder, to), text.replace(/\{(\w+)\}/g, (all, word) => words[word] ?? all));
    }
    await writeFile(join(this.#folder, "contacts"), "");
  }

  /** A trunk of ours to it, as the examples read it. */
  async trunk({ encrypted }) {
    const file = join(this.#folder, "trunk.toml");
    const lines = [
      `host = "${ADDRESS}"`,
      `port = ${PROXY_PORT}`,
      'transport = "udp"',
      'domain = "carrier.test"',
      'username = "housecall"',
      'password = "open sesame"',
      `encrypted = ${encrypted}`,
    ];
    await writeFile(file, lines.join("\n"));
    return file;
  }

  /** What the telephone has heard in the last half second. */
  heard() {
    return this.#recorded("dec");
  }

  /** Waits until rtpengine has taken both descriptions of a call. */
  async relays() {
    await this.#relay.says("command 'offer'");
    await this.#relay.says("command 'answer'");
  }

  /** What it sends and gets just now, in bits a second. During a hold it records nothing. */
  rates() {
    const [, sent, heard] = this.#phone.log(20).match(/.*audio=(\d+)\/(\d+) \(bit\/s\)/s) ?? [0, 0, 0];
    return { sent: Number(sent), heard: Number(heard) };
  }

  /** What it has said in it. */
  said() {
    return this.#recorded("enc");
  }

  /** It writes a file in each direction, and others when its sound changes. */
  #recorded(way) {
    const files = readdirSync(this.#folder).filter((name) => name.endsWith(`-${way}.wav`));
    return files.length === 0 ? { hz: 0, dbfs: -Infinity } : measured(tail(join(this.#folder, files.sort().at(-1)), 0.5));
  }

  /** The keys that the telephone has heard so far. */
  get keys() {
    return this.#keys;
  }

  /** Presses keys at the telephone. @param {string} keys */
  async press(keys) {
    const said = JSON.stringify({ command: "sndcode", params: keys });
    this.#control.write(`${said.length}:${said},`);
  }

  /** Its messages on the control port are netstrings of JSON. */
  #hear(data) {
    for (const [, key] of data.matchAll(/"type":"CALL_DTMF_START"[^}]*"param":"(.)"/g)) this.#keys += key;
  }

  log() {
    return [this.#relay, this.#proxy, this.#phone].map((it) => it?.log() ?? "").join("\n");
  }

  #connects(port) {
    return new Promise((done, failed) => {
      const socket = connect(port, ADDRESS, () => done(socket)).on("error", failed);
    });
  }

  async stop() {
    this.#control?.destroy();
    await this.#phone?.stop();
    await this.#proxy?.stop();
    await this.#relay?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
