import { mark, part, say, show } from "../lib/dom.js";
import { setLevel } from "../lib/meterbar.js";
import { routeTo } from "../lib/speaker.js";
import { initials } from "../lib/words.js";
import { showTrack } from "./preview.js";
import { me, others } from "./stage.js";

/**
 * The tiles of the room: three slots for the others and one for oneself.
 *
 * @typedef {import("./session.js").VisitSession} VisitSession
 * @typedef {import("../lib/types.js").Person} Person
 */

const SPEAKING_LEVEL = 0.42;
/** A pause between words is not the end of speaking. */
const SPEAKING_HOLD_MS = 700;

const narrow = matchMedia("(max-width: 760px)");

export class Tiles {
  #box;
  #session;
  /** @type {HTMLElement[]} */
  #slots;
  #own;
  /** When each tile last spoke, on the page's clock. @type {Map<HTMLElement, number>} */
  #spoke = new Map();
  /** The tile shown large where only one fits. @type {HTMLElement | null} */
  #main = null;
  #isPinned = false;
  #onBlocked;

  /**
   * @param {HTMLElement} root
   * @param {VisitSession} session
   * @param {(blocked: boolean) => void} onBlocked the browser wants a press before it plays sound
   */
  constructor(root, session, onBlocked) {
    this.#box = part(root, "tiles");
    this.#session = session;
    this.#onBlocked = onBlocked;
    this.#slots = ["0", "1", "2"].map((slot) => tile(this.#box, slot));
    this.#own = tile(this.#box, "own");
    for (const each of [...this.#slots, this.#own]) this.#bindPin(each);
    for (const each of this.#slots) bindShape(each);
    bindShape(this.#own);
  }

  /** Puts the slots' streams into their tiles. */
  attach() {
    this.#session.link.streams.forEach((stream, slot) => {
      const video = videoOf(this.#slots[slot]);
      if (video) video.srcObject = stream;
    });
    void this.route();
  }

  /** Plays what stands still; some browsers want a press first. */
  play() {
    const still = this.#slots.filter((each) => !each.hidden && videoOf(each)?.paused);
    if (still.length === 0) return this.#onBlocked(false);
    void Promise.allSettled(still.map((each) => videoOf(each)?.play())).then((results) => {
      this.#onBlocked(results.some((result) => result.status === "rejected" && result.reason?.name === "NotAllowedError"));
    });
  }

  /** Sends all sound to the chosen speaker. */
  async route() {
    for (const each of this.#slots) {
      const video = videoOf(each);
      if (video) await routeTo(video, this.#session.devices.chosen.speaker);
    }
  }

  draw() {
    const { view } = this.#session;
    if (!view) return;
    const people = others(view);
    this.#slots.forEach((each, slot) => drawTile(each, people.find((person) => person.slot === slot && isShown(person))));
    this.#drawOwn();
    if (this.#session.link.state === "connected") this.play();
    const count = this.#slots.filter((each) => !each.hidden).length;
    mark(this.#box, "count", String(count));
    this.#chooseMain();
    mark(this.#box, "layout", this.#isPinned || narrow.matches ? "strip" : "grid");
  }

  /**
   * @param {Map<number, number>} levels by slot
   * @param {number} ownLevel
   */
  hear(levels, ownLevel) {
    this.#slots.forEach((each, slot) => this.#hearTile(each, each.dataset.muted ? 0 : (levels.get(slot) ?? 0)));
    this.#hearTile(this.#own, this.#session.devices.muted ? 0 : ownLevel);
    this.#chooseMain();
  }

  #drawOwn() {
    const { devices, view } = this.#session;
    const self = view && me(view);
    showTrack(/** @type {HTMLVideoElement} */ (videoOf(this.#own)), devices.tracks.video);
    fill(this.#own, { name: self?.name ?? "", shown: "You", muted: devices.muted, pictureless: !devices.tracks.video, says: ownWords(this.#session) });
    mark(this.#own, "seat", self?.seat ?? null);
  }

  /**
   * @param {HTMLElement} each
   * @param {number} level
   */
  #hearTile(each, level) {
    const now = performance.now();
    if (level > SPEAKING_LEVEL) this.#spoke.set(each, now);
    const speaking = now - (this.#spoke.get(each) ?? -Infinity) < SPEAKING_HOLD_MS;
    mark(each, "speaking", speaking ? "true" : null);
    const meter = each.querySelector(".tile-level");
    if (meter instanceof HTMLElement && !meter.hidden) setLevel(meter, level);
  }

  /** The large tile of a small screen: whoever was pressed, else who spoke last, else the first. */
  #chooseMain() {
    const shown = this.#slots.filter((each) => !each.hidden);
    const pool = this.#isPinned ? [...shown, this.#own] : shown;
    const kept = this.#main && pool.includes(this.#main) ? this.#main : null;
    if (!kept) this.#isPinned = false;
    const loudest = shown.find((each) => each.dataset.speaking && !kept?.dataset.speaking);
    const main = (this.#isPinned ? kept : (loudest ?? kept)) ?? shown[0] ?? this.#own;
    if (main === this.#main) return;
    this.#main?.classList.remove("main");
    main.classList.add("main");
    this.#main = main;
  }

  /** @param {HTMLElement} each */
  #bindPin(each) {
    const pin = () => {
      this.#isPinned = !(this.#isPinned && this.#main === each);
      if (this.#isPinned) {
        this.#main?.classList.remove("main");
        each.classList.add("main");
        this.#main = each;
      }
      this.draw();
    };
    each.addEventListener("click", pin);
  }
}

/** @param {Person} person @returns {boolean} */
function isShown(person) {
  return person.place === "in_room" || person.place === "reconnecting";
}

/**
 * @param {HTMLElement} each
 * @param {Person | undefined} person
 */
function drawTile(each, person) {
  show(each, person !== undefined);
  mark(each, "seat", person?.seat ?? null);
  mark(each, "place", person?.place ?? null);
  if (!person) return;
  const away = person.place === "reconnecting";
  const says = away ? "Reconnecting…" : person.by_phone ? "On the phone" : person.camera_off ? "Camera off" : "";
  fill(each, { name: person.name, shown: person.name, muted: person.muted, pictureless: person.camera_off || away, says });
  mark(each, "byPhone", person.by_phone ? "true" : null);
  show(each.querySelector(".tile-level"), person.by_phone);
  each.querySelector(".pin")?.setAttribute("aria-label", [person.name, person.muted ? "muted" : "", says].filter(Boolean).join(", "));
}

/**
 * @param {HTMLElement} each
 * @param {{ name: string, shown: string, muted: boolean, pictureless: boolean, says: string }} state
 */
function fill(each, { name, shown, muted, pictureless, says }) {
  say(each.querySelector(".avatar"), initials(name));
  say(each.querySelector(".name"), shown);
  say(each.querySelector(".says"), says);
  show(each.querySelector(".muted-mark"), muted);
  mark(each, "muted", muted ? "true" : null);
  each.classList.toggle("no-picture", pictureless);
}

/** @param {VisitSession} session @returns {string} */
function ownWords(session) {
  if (session.link.state === "reconnecting") return "Reconnecting…";
  if (session.link.state === "joining") return "Connecting…";
  if (session.devices.cameraOff) return "Your camera is off";
  return session.devices.trouble.video ? "No camera" : "";
}

/**
 * @param {HTMLElement} box
 * @param {string} name
 * @returns {HTMLElement}
 */
function tile(box, name) {
  const found = box.querySelector(`[data-tile="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no tile ${name}`);
  return found;
}

/** @param {HTMLElement | undefined} each @returns {HTMLVideoElement | null} */
function videoOf(each) {
  return each?.querySelector("video") ?? null;
}

/** A phone held upright is shown whole, not cropped to a face's forehead. @param {HTMLElement} each */
function bindShape(each) {
  const video = videoOf(each);
  video?.addEventListener("resize", () => each.classList.toggle("upright", video.videoHeight > video.videoWidth));
  const live = () => each.classList.toggle("has-frames", (video?.videoWidth ?? 0) > 0);
  video?.addEventListener("resize", live);
  video?.addEventListener("emptied", live);
}
