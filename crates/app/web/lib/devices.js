/**
 * The camera, microphone and speaker of this page, and what is wrong with them in words.
 *
 * @typedef {"audio" | "video"} Kind
 * @typedef {{ audio: string, video: string, speaker: string }} Chosen device ids; empty is the browser's choice
 */

const REMEMBERED = "housecall.devices";

/** Events: `tracks` (a track came, went or was swapped), `list` (the devices at hand changed). */
export class Devices extends EventTarget {
  /** @type {{ audio: MediaStreamTrack | null, video: MediaStreamTrack | null }} */
  tracks = { audio: null, video: null };
  /** What stands in the way of each, in words for a person. @type {{ audio: string | null, video: string | null }} */
  trouble = { audio: null, video: null };
  chosen = remembered();
  muted = false;
  cameraOff = false;
  #wantsVideo;
  /** False once released: what the browser hands over later is given back at once. */
  #isWanted = false;

  /** @param {{ video: boolean }} options */
  constructor({ video }) {
    super();
    this.#wantsVideo = video;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.dispatchEvent(new Event("list")));
  }

  get isBlocked() {
    return this.trouble.audio !== null || (this.#wantsVideo && this.trouble.video !== null);
  }

  /** Asks for everything in one question, then for each alone: a missing camera must not cost the voice. */
  async start() {
    this.#isWanted = true;
    const kinds = /** @type {Kind[]} */ (this.#wantsVideo && !this.cameraOff ? ["audio", "video"] : ["audio"]);
    try {
      this.#keep(await ask(kinds, this.chosen));
    } catch {
      for (const kind of kinds) await this.#startOne(kind);
    }
    this.#applyMute();
    this.dispatchEvent(new Event("list"));
    this.dispatchEvent(new Event("tracks"));
  }

  /** Releases everything: the lights go out. */
  stop() {
    this.#isWanted = false;
    this.#drop("audio");
    this.#drop("video");
    this.dispatchEvent(new Event("tracks"));
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.muted = muted;
    this.#applyMute();
  }

  /**
   * Off releases the camera, so that its light is off too.
   * @param {boolean} off
   */
  async setCameraOff(off) {
    this.cameraOff = off;
    if (off) this.#drop("video");
    else if (!this.tracks.video) await this.#startOne("video");
    this.dispatchEvent(new Event("tracks"));
  }

  /**
   * @param {keyof Chosen} which
   * @param {string} deviceId
   */
  async choose(which, deviceId) {
    this.chosen[which] = deviceId;
    localStorage.setItem(REMEMBERED, JSON.stringify(this.chosen));
    if (which === "speaker") return void this.dispatchEvent(new Event("list"));
    if (which === "video" && this.cameraOff) return;
    this.#drop(which);
    await this.#startOne(which);
    this.#applyMute();
    this.dispatchEvent(new Event("tracks"));
  }

  /** @returns {Promise<{ audio: MediaDeviceInfo[], video: MediaDeviceInfo[], speaker: MediaDeviceInfo[] }>} */
  async list() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const named = (/** @type {MediaDeviceKind} */ kind) => all.filter((device) => device.kind === kind && device.deviceId);
    return { audio: named("audioinput"), video: named("videoinput"), speaker: named("audiooutput") };
  }

  /** @param {Kind} kind */
  async #startOne(kind) {
    try {
      this.#keep(await ask([kind], this.chosen));
    } catch (error) {
      this.trouble[kind] = troubleWords(kind, error);
    }
  }

  /** @param {MediaStream} stream */
  #keep(stream) {
    for (const track of stream.getTracks()) {
      const kind = /** @type {Kind} */ (track.kind);
      this.#drop(kind);
      if (!this.#isWanted || (kind === "video" && this.cameraOff)) {
        // Released or switched off while the browser was still asking.
        track.stop();
        continue;
      }
      this.tracks[kind] = track;
      this.trouble[kind] = null;
      track.addEventListener("ended", () => this.#unplugged(kind, track));
    }
  }

  /** @param {Kind} kind */
  #drop(kind) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
  }

  /**
   * The headset was pulled out: whatever else is there takes over.
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   */
  async #unplugged(kind, track) {
    if (this.tracks[kind] !== track) return;
    this.#drop(kind);
    await this.#startOne(kind);
    this.#applyMute();
    this.dispatchEvent(new Event("tracks"));
  }

  #applyMute() {
    if (this.tracks.audio) this.tracks.audio.enabled = !this.muted;
  }
}

/**
 * @param {Kind[]} kinds
 * @param {Chosen} chosen
 * @returns {Promise<MediaStream>}
 */
function ask(kinds, chosen) {
  if (!navigator.mediaDevices) return Promise.reject(new DOMException("insecure page", "SecurityError"));
  // `ideal`: a remembered device that is gone must not fail the visit.
  const audio = { deviceId: { ideal: chosen.audio }, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const video = { deviceId: { ideal: chosen.video }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
  return navigator.mediaDevices.getUserMedia({
    audio: kinds.includes("audio") && audio,
    video: kinds.includes("video") && video,
  });
}

/**
 * @param {Kind} kind
 * @param {unknown} error
 * @returns {string}
 */
function troubleWords(kind, error) {
  const device = kind === "audio" ? "microphone" : "camera";
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return `The ${device} is blocked. Allow it beside the address at the top of this window, then try again.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `No ${device} was found. Plug one in, then try again.`;
    case "NotReadableError":
    case "AbortError":
      return `Another program is using the ${device}. Close it, then try again.`;
    case "SecurityError":
      return `The ${device} works only on a secure page (https).`;
    default:
      return `The ${device} did not start. Try again.`;
  }
}

/** @returns {Chosen} */
function remembered() {
  const none = { audio: "", video: "", speaker: "" };
  try {
    return { ...none, ...JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") };
  } catch {
    return none;
  }
}
