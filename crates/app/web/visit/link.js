import { Backoff } from "../lib/backoff.js";
import { Peer } from "../lib/peer.js";
import { roomShape } from "../lib/shape.js";

/**
 * Keeps one person connected to the room: makes a peer, and another when it is lost, for as long as it is wanted.
 *
 *     idle ──start()──► joining ──► connected ──► reconnecting ──► connected …
 *       ▲                  └────────────┴──────stop()──┴──► idle
 *
 * @typedef {"idle" | "joining" | "connected" | "reconnecting"} LinkState
 * @typedef {import("../lib/devices.js").Devices} Devices
 */

/** Events: `state`, `streams` (new slots to show). */
export class RoomLink extends EventTarget {
  /** @type {LinkState} */
  state = "idle";
  /** What is seen and heard in the slots 0, 1, 2. @type {MediaStream[]} */
  streams = [];
  /** Which slot a transceiver's `mid` belongs to. @type {Map<string, number>} */
  slotOfMid = new Map();
  /** Attempts in a row that never got as far as media. */
  failures = 0;
  /** @type {Peer | null} */
  #peer = null;
  /** @type {ReturnType<typeof roomShape> | null} */
  #media = null;
  #backoff = new Backoff(300, 6000);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #devices;
  #send;

  /**
   * @param {Devices} devices
   * @param {(offer: string) => boolean} send hands an offer to the server; false when there is no line
   */
  constructor(devices, send) {
    super();
    this.#devices = devices;
    this.#send = send;
    devices.addEventListener("tracks", () => this.#sendTracks());
  }

  get isActive() {
    return this.state !== "idle";
  }

  /** @returns {RTCPeerConnection | null} */
  get connection() {
    return this.#peer?.connection ?? null;
  }

  start() {
    this.#become("joining");
    void this.#attempt();
  }

  /** Throws the present peer away and offers another at once. */
  again() {
    this.#backoff.reset();
    this.#become("reconnecting");
    void this.#attempt();
  }

  /** @param {string} sdp */
  answered(sdp) {
    void this.#peer?.answer(sdp);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#peer?.close();
    this.#peer = null;
    this.#media = null;
    this.#become("idle");
  }

  async #attempt() {
    clearTimeout(this.#timer);
    this.#peer?.close();
    const peer = new Peer();
    this.#peer = peer;
    this.#media = roomShape(peer.connection, this.#devices.tracks);
    this.streams = this.#media.slots.map((slot) => slot.stream);
    this.dispatchEvent(new Event("streams"));
    peer.addEventListener("state", () => this.#peerChanged(peer));
    const offer = await peer.offer();
    if (this.#peer !== peer) return;
    this.#nameSlots();
    this.#sendTracks();
    if (!this.#send(offer)) peer.close();
  }

  /** @param {Peer} peer */
  #peerChanged(peer) {
    if (peer !== this.#peer) return;
    if (peer.state === "connected") {
      this.#backoff.reset();
      this.failures = 0;
      this.#become("connected");
    } else if (peer.state === "shaky" || peer.state === "lost") {
      this.#become(this.state === "joining" ? "joining" : "reconnecting");
    }
    if (peer.state !== "lost") return;
    this.failures += 1;
    this.#timer = setTimeout(() => void this.#attempt(), this.#backoff.next());
  }

  #nameSlots() {
    this.slotOfMid.clear();
    this.#media?.slots.forEach((slot, index) => this.slotOfMid.set(slot.audio.mid ?? "", index));
  }

  /** A swapped microphone or camera goes on in the same place, without another offer. */
  #sendTracks() {
    if (!this.#media || !this.#peer?.isAlive) return;
    void this.#media.audio.replaceTrack(this.#devices.tracks.audio);
    void this.#media.video.replaceTrack(this.#devices.tracks.video);
  }

  /** @param {LinkState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
