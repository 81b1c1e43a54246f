import { Devices } from "../lib/devices.js";
import { Peer } from "../lib/peer.js";
import { callShape } from "../lib/shape.js";
import { Signal } from "../lib/signal.js";

/**
 * One phone call, from the press of Call to its end.
 *
 *     starting ──► dialing ──► ringing ──► early ──► talking ──► ended
 *        └────────────┴───────────┴──────────┴─────────────────────┘      starting is ours: the microphone and the offer
 *
 * @typedef {"starting" | import("../lib/types.js").CallState} CallStage
 * @typedef {import("../lib/types.js").CallView} CallView
 * @typedef {import("../lib/types.js").CallClientMessage} CallClientMessage
 * @typedef {import("../lib/types.js").CallServerMessage} CallServerMessage
 * @typedef {Omit<import("../lib/types.js").Dial, "type" | "offer">} Whom
 */

/** How long the server's account of the end may come after the sound has gone. */
const LAST_WORD_MS = 3000;

/** Events: `change`, `voice` (the other end's sound is there to be played), `refused` (detail: words). */
export class CallSession extends EventTarget {
  /** @type {CallStage} */
  stage = "starting";
  /** @type {CallView | null} */
  view = null;
  /** When the view arrived, on the page's own clock, in milliseconds. */
  heardAt = 0;
  /** What to say when the server could not. @type {string | null} */
  trouble = null;
  /** @type {MediaStream | null} */
  voice = null;
  devices = new Devices({ video: false });
  /** @type {Signal<CallClientMessage>} */
  #signal;
  /** @type {Peer | null} */
  #peer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lastWordTimer;

  /** @param {string} path the socket's path */
  constructor(path) {
    super();
    this.#signal = new Signal(path, { reopens: false });
    this.#signal.addEventListener("lost", () => this.#fail("The connection to the clinic's server was lost, and the call with it."));
    this.#signal.addEventListener("message", (event) => this.#heard(/** @type {CustomEvent<CallServerMessage>} */ (event).detail));
  }

  get isLive() {
    return this.stage !== "ended";
  }

  get microphone() {
    return this.devices.tracks.audio;
  }

  /** @param {Whom} whom */
  async dial(whom) {
    await this.devices.start();
    if (!this.isLive) return this.#release();
    if (!this.microphone) return this.#fail(this.devices.trouble.audio ?? "The microphone did not start. Try again.");
    const offer = await this.#offer(this.microphone);
    if (!this.isLive) return this.#release();
    this.#signal.addEventListener("open", () => this.#signal.send({ type: "dial", ...whom, offer }));
    this.#signal.open();
  }

  hangUp() {
    if (!this.#signal.send({ type: "hang_up" })) this.#end();
  }

  /** @param {boolean} held */
  hold(held) {
    this.#signal.send({ type: held ? "hold" : "resume" });
  }

  /** Silent here at once, and at the server, which is what counts. @param {boolean} on */
  mute(on) {
    this.devices.setMuted(on);
    this.#signal.send({ type: "mute", on });
    this.#changed();
  }

  /** @param {string} digit */
  press(digit) {
    this.#signal.send({ type: "digit", digit });
  }

  /** @param {MediaStreamTrack} microphone @returns {Promise<string>} */
  #offer(microphone) {
    const peer = new Peer();
    this.#peer = peer;
    const shape = callShape(peer.connection, microphone);
    this.voice = shape.voice;
    this.dispatchEvent(new Event("voice"));
    this.devices.addEventListener("tracks", () => peer.isAlive && void shape.audio.replaceTrack(this.devices.tracks.audio));
    peer.addEventListener("state", () => peer.state === "lost" && this.isLive && this.#soundLost());
    return peer.offer();
  }

  /** The server also closes the sound when the call is over; its last word is worth a moment. */
  #soundLost() {
    setTimeout(() => this.#soundGone(), LAST_WORD_MS);
  }

  #soundGone() {
    if (this.isLive) this.#signal.send({ type: "hang_up" });
    this.#fail("The sound between this page and the clinic's server was lost. Check your connection and call again.");
  }

  /** @param {CallServerMessage} message */
  #heard(message) {
    switch (message.type) {
      case "answer":
        return void this.#peer?.answer(message.sdp);
      case "refused":
        return this.stage === "starting" ? this.#fail(message.message) : void this.dispatchEvent(new CustomEvent("refused", { detail: message.message }));
      case "call":
        return this.#see(message);
    }
  }

  /** @param {CallView} view */
  #see(view) {
    const isLastWord = view.state === "ended" && view.outcome !== null;
    if (view.state === "ended" && !isLastWord) {
      // Over, but not yet written down: how it ended and what it cost follow at once.
      this.#lastWordTimer ??= setTimeout(() => this.#end(), LAST_WORD_MS);
      return;
    }
    this.view = view;
    this.heardAt = performance.now();
    this.stage = view.state;
    if (isLastWord) this.#release();
    this.#changed();
  }

  /** @param {string} words */
  #fail(words) {
    if (!this.isLive) return;
    this.trouble = words;
    this.#end();
  }

  #end() {
    this.stage = "ended";
    this.#release();
    this.#changed();
  }

  #release() {
    clearTimeout(this.#lastWordTimer);
    this.#signal.close();
    this.#peer?.close();
    this.devices.stop();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
