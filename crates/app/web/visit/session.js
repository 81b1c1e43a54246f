import { Signal } from "../lib/signal.js";
import { RoomLink } from "./link.js";
import { announcements, isAdmitted, me, stageOf } from "./stage.js";

/**
 * One person's visit: what the server last said of the room, and what the person may do next.
 *
 * @typedef {import("../lib/types.js").RoomView} RoomView
 * @typedef {import("../lib/types.js").Seat} Seat
 * @typedef {import("../lib/types.js").VisitClientMessage} VisitClientMessage
 * @typedef {import("../lib/types.js").VisitServerMessage} VisitServerMessage
 * @typedef {import("../lib/devices.js").Devices} Devices
 */

/** Longer than a view takes, shorter than a person's patience. */
const STAY_OUT_MS = 4000;

/** Events: `change` (anything below), `announce` (detail: a sentence), `refused` and `phone-choice` (detail: the server's message). */
export class VisitSession extends EventTarget {
  /** @type {RoomView | null} */
  view = null;
  /** When the view arrived, on the page's own clock, in milliseconds. */
  heardAt = 0;
  /** @type {import("./stage.js").Stage} */
  stage = "arriving";
  /** True when it was this page that ended the consultation. */
  endedHere = false;
  devices;
  link;
  /** @type {Signal<VisitClientMessage>} */
  #signal;
  #freshLine = false;
  /** @type {import("./link.js").LinkState} */
  #linkBefore = "idle";
  /** Until when, on the page's own clock, a view that says "in the room" is not followed: it was on its way while we left or were refused. */
  #staysOutUntil = 0;
  /** The place is held by another device, and this page has not asked for it. */
  #isElsewhere = false;
  /** This page was asked to take the place back from its person's phone (V13). */
  #returns = false;

  /**
   * @param {string} path the socket's path
   * @param {Devices} devices
   */
  constructor(path, devices) {
    super();
    this.devices = devices;
    this.#signal = new Signal(path, { reopens: true });
    this.link = new RoomLink(devices, (offer) => this.#join(offer));
    this.link.addEventListener("state", () => this.#linkChanged());
    this.#signal.addEventListener("open", () => this.#lineOpened());
    this.#signal.addEventListener("lost", () => this.#changed());
    this.#signal.addEventListener("message", (event) => this.#heard(/** @type {CustomEvent<VisitServerMessage>} */ (event).detail));
  }

  /** True while the page and the server hear each other. */
  get isOnline() {
    return this.#signal.isOpen;
  }

  get isPractitioner() {
    return this.view?.you === "practitioner";
  }

  start() {
    this.#signal.open();
  }

  checkIn() {
    sessionStorage.setItem(this.#mark, "1");
    this.#tell({ type: "check_in" });
  }

  /** Takes the place in the room. For the practitioner this starts the consultation, and its meter (V7). */
  join() {
    this.#isElsewhere = false;
    if (this.link.isActive) return;
    sessionStorage.setItem(this.#mark, "1");
    this.link.start();
  }

  /** After leaving, or when another page has the place: takes it here (V9). */
  comeBack() {
    sessionStorage.setItem(this.#mark, "1");
    if (this.stage === "moved") return location.reload();
    this.#returns = this.stage === "phone";
    void this.devices.start().then(() => this.join());
  }

  /** @param {Seat} seat */
  admit(seat) {
    this.#tell({ type: "admit", seat });
  }

  admitAll() {
    this.#tell({ type: "admit_all" });
  }

  /** @param {Seat} seat */
  sendBack(seat) {
    this.#tell({ type: "send_back", seat });
  }

  /** Asks which numbers somebody has, and what going on by phone costs: `phone-choice` follows. @param {Seat} seat */
  askPhone(seat) {
    this.#tell({ type: "phone_choice", seat });
  }

  /**
   * @param {Seat} seat
   * @param {number} number_id
   */
  ring(seat, number_id) {
    this.#tell({ type: "ring", seat, number_id });
  }

  /** @param {Seat} seat */
  hangUpPhone(seat) {
    this.#tell({ type: "hang_up_phone", seat });
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.devices.setMuted(muted);
    this.#tellState();
    this.#changed();
  }

  /** @param {boolean} off */
  async setCameraOff(off) {
    await this.devices.setCameraOff(off);
    this.#tellState();
    this.#changed();
  }

  /** A patient leaves, and may come back (V8). */
  leave() {
    this.#tell({ type: "leave" });
    this.#stayOut();
  }

  /** The practitioner ends the consultation for everyone (V8). */
  disconnect() {
    this.endedHere = true;
    this.#tell({ type: "disconnect" });
  }

  /** @param {VisitServerMessage} message */
  #heard(message) {
    switch (message.type) {
      case "view":
        return this.#see(message);
      case "answer":
        this.#returns = false;
        this.link.answered(message.sdp);
        return this.#tellState();
      case "phone_choice":
        return void this.dispatchEvent(new CustomEvent("phone-choice", { detail: message }));
      case "refused":
        if (message.what === "join") this.#stayOut();
        // Whoever left before being admitted comes back to the waiting room.
        if (message.what === "join" && this.stage === "left") return this.checkIn();
        return void this.dispatchEvent(new CustomEvent("refused", { detail: message }));
      case "evicted":
        return this.#evicted();
    }
  }

  /** @param {RoomView} view */
  #see(view) {
    const before = this.view;
    const stageBefore = this.stage;
    this.view = view;
    this.heardAt = performance.now();
    this.stage = this.#stageOf(view, before);
    if (!before) this.#restore(view);
    this.#follow(stageBefore);
    for (const words of announcements(before, view)) this.#announce(words);
    this.#changed();
  }

  /**
   * A reload keeps the place at once, since this page's mark survives it; another device is asked first (V9).
   * @param {RoomView} view
   * @param {RoomView | null} before
   * @returns {import("./stage.js").Stage}
   */
  #stageOf(view, before) {
    const stage = stageOf(view);
    const isMine = sessionStorage.getItem(this.#mark) !== null;
    if (!before) this.#isElsewhere = stage === "room" && me(view)?.place === "in_room" && !isMine;
    if (stage !== "room" || me(view)?.place !== "in_room") this.#isElsewhere = false;
    return this.#isElsewhere ? "elsewhere" : stage;
  }

  /**
   * Brings the link in line with the stage.
   * @param {import("./stage.js").Stage} before
   */
  #follow(before) {
    const fresh = this.#freshLine;
    this.#freshLine = false;
    if (this.stage === "ended") this.#signal.close();
    if (fresh) this.#waitAgain();
    if (this.stage === "phone" && this.#returns) return;
    if (this.stage !== "room") {
      // A view on its way while we join still says "waiting": only a stage that was left ends the link.
      if (before === "room" || this.stage === "ended") this.#letGo();
    } else if (!this.link.isActive) {
      this.#returns = false;
      if (performance.now() > this.#staysOutUntil) this.join();
    } else if (fresh) {
      // The server ties a connection to the line it was offered on: on a new line it is offered anew.
      this.link.again();
    }
  }

  /** V9: a waiting patient whose page was reloaded, or whose line was lost, waits on without pressing anything. */
  #waitAgain() {
    if (this.isPractitioner) return;
    if (this.stage === "waiting") sessionStorage.setItem(this.#mark, "1");
    const wasHere = sessionStorage.getItem(this.#mark) !== null;
    if (wasHere && (this.stage === "arriving" || this.stage === "left")) this.checkIn();
  }

  /** V9: a reload finds mute and camera as they were; a phone has none of its own. @param {RoomView} view */
  #restore(view) {
    const self = me(view);
    if (!self || self.by_phone || !isAdmitted(self)) return;
    this.devices.setMuted(self.muted);
    if (self.camera_off !== this.devices.cameraOff) void this.devices.setCameraOff(self.camera_off);
  }

  #lineOpened() {
    this.#freshLine = true;
    this.#changed();
  }

  #evicted() {
    this.stage = "moved";
    this.#signal.close();
    this.#letGo();
    this.#changed();
  }

  #stayOut() {
    this.#staysOutUntil = performance.now() + STAY_OUT_MS;
    this.#letGo();
  }

  #letGo() {
    sessionStorage.removeItem(this.#mark);
    this.link.stop();
  }

  /** Under which name this page remembers that the place is its own. */
  get #mark() {
    return `housecall.place ${location.pathname}`;
  }

  /** @param {string} offer @returns {boolean} */
  #join(offer) {
    return this.#signal.send({ type: "join", offer, from_phone: this.#returns });
  }

  #tellState() {
    if (!this.link.isActive) return;
    this.#signal.send({ type: "state", muted: this.devices.muted, camera_off: this.devices.cameraOff || !this.devices.tracks.video });
  }

  /** @param {VisitClientMessage} message */
  #tell(message) {
    if (this.#signal.send(message)) return;
    const detail = { type: "refused", what: message.type, message: "There is no connection just now. Try again in a moment." };
    this.dispatchEvent(new CustomEvent("refused", { detail }));
  }

  #linkChanged() {
    if (this.link.state === "reconnecting") this.#announce("Your connection was lost. Reconnecting.");
    else if (this.#linkBefore === "reconnecting" && this.link.state === "connected") this.#announce("You are connected again.");
    this.#linkBefore = this.link.state;
    this.#changed();
  }

  /** @param {string} words */
  #announce(words) {
    this.dispatchEvent(new CustomEvent("announce", { detail: words }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
