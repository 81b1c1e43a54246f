/**
 * One attempt at media between this page and the server. A lost peer is thrown away and another one made: the server
 * evicts the old one when the new offer arrives (V9).
 *
 *     new ──offer()──► gathering ──► offered ──answer()──► connecting ──► connected ◄──► shaky
 *                                       └──────────────────────┴──────────────┴───────────┴──► lost
 *     close() ends it from anywhere, silently.
 *
 * @typedef {"new" | "gathering" | "offered" | "connecting" | "connected" | "shaky" | "lost" | "closed"} PeerState
 */

/** Host candidates come at once; a slow interface must not delay the offer. */
const GATHER_MS_MAX = 1000;
/** From the offer to the first media: beyond it another attempt is better. */
const CONNECT_MS_MAX = 12_000;
/** A short gap mends itself. */
const SHAKY_MS_MAX = 3000;

/** Event: `state`. */
export class Peer extends EventTarget {
  /** @type {PeerState} */
  #state = "new";
  #pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #limit;

  constructor() {
    super();
    document.housecallPeer = this.#pc;
    this.#pc.addEventListener("connectionstatechange", () => this.#connectionChanged());
  }

  /** The connection, for adding media before the offer and for statistics. */
  get connection() {
    return this.#pc;
  }

  /** @returns {PeerState} */
  get state() {
    return this.#state;
  }

  get isAlive() {
    return this.#state !== "lost" && this.#state !== "closed";
  }

  /**
   * Returns the whole offer, candidates included.
   * @returns {Promise<string>}
   */
  async offer() {
    this.#become("gathering");
    await this.#pc.setLocalDescription();
    await gathered(this.#pc);
    this.#become("offered", CONNECT_MS_MAX);
    return this.#pc.localDescription?.sdp ?? "";
  }

  /** @param {string} sdp */
  async answer(sdp) {
    if (this.#state !== "offered") return;
    this.#become("connecting", CONNECT_MS_MAX);
    try {
      await this.#pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      this.#lose();
    }
  }

  close() {
    this.#state = "closed";
    clearTimeout(this.#limit);
    this.#pc.close();
  }

  #connectionChanged() {
    if (!this.isAlive) return;
    switch (this.#pc.connectionState) {
      case "connected":
        this.#become("connected");
        break;
      case "disconnected":
        this.#become("shaky", SHAKY_MS_MAX);
        break;
      case "failed":
      case "closed":
        this.#lose();
        break;
      default:
        break;
    }
  }

  /**
   * @param {PeerState} state
   * @param {number} [msMax] how long it may last
   */
  #become(state, msMax) {
    if (!this.isAlive) return;
    this.#state = state;
    clearTimeout(this.#limit);
    if (msMax) this.#limit = setTimeout(() => this.#lose(), msMax);
    this.dispatchEvent(new Event("state"));
  }

  #lose() {
    if (!this.isAlive) return;
    clearTimeout(this.#limit);
    this.#state = "lost";
    this.#pc.close();
    this.dispatchEvent(new Event("state"));
  }
}

/** @param {RTCPeerConnection} pc @returns {Promise<void>} */
function gathered(pc) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS_MAX);
    const check = () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    pc.addEventListener("icegatheringstatechange", check);
    check();
  });
}
