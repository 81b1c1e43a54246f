import { mark, maybePart, part, pressed, say, setIcon, show } from "../lib/dom.js";
import { watchLevel } from "../lib/level.js";
import { setLevel } from "../lib/meterbar.js";
import { routeTo } from "../lib/speaker.js";
import { everyTick } from "../lib/ticker.js";
import { clock, credits, initials } from "../lib/words.js";
import { CallSession } from "./session.js";

/** @type {Record<import("../lib/types.js").SoundClass, string>} */
const LINE_WORDS = { good: "Good line", fair: "Fair line", poor: "Poor line" };

/** @type {Record<import("../lib/types.js").Encryption, { icon: string, words: string, meaning: string }>} */
const ENCRYPTION = {
  none: { icon: "lock-open", words: "Not encrypted to the phone network", meaning: "" },
  keys_in_clear: {
    icon: "lock-open",
    words: "Encrypted to the phone network; keys sent in the clear",
    meaning: "Whoever reads the signalling on the way there can listen in.",
  },
  full: { icon: "lock", words: "Encrypted to the phone network", meaning: "" },
};

/**
 * The panel on the page: who is called, and what may be done just now.
 *
 *     closed ──open()──► ready ──Call──► (the call's own stages) ──► ended ──► closed
 *
 * @typedef {{ person: string, numberId: number, appointment: number | null, name: string, shown: string }} Target
 */
export class CallPanel {
  #root;
  /** @type {Target | null} */
  #target = null;
  /** @type {CallSession | null} */
  #session = null;
  /** What had the focus before the panel took it. @type {Element | null} */
  #opener = null;
  #stopLevel = () => {};
  #stopTheirLevel = () => {};

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    pressed(part(root, "dial"), () => this.#dial());
    pressed(part(root, "again"), () => this.#dial());
    for (const name of ["close", "done"]) pressed(part(root, name), () => this.#close());
    this.#bindActions();
    everyTick(() => this.#session && this.#drawTimes(this.#session));
  }

  /** True while leaving the page would end a call. */
  get isLive() {
    return this.#session?.isLive ?? false;
  }

  /**
   * @param {Target} target
   * @param {Element} opener
   */
  open(target, opener) {
    if (this.isLive) return this.#refuse("Finish the present call first.");
    this.#session = null;
    this.#target = target;
    this.#opener = opener;
    say(part(this.#root, "avatar"), initials(target.name));
    say(part(this.#root, "name"), target.name);
    this.#draw();
    part(this.#root, "dial").focus();
  }

  toggleMute() {
    const { view, isLive } = this.#session ?? {};
    if (isLive && view) this.#session?.mute(!view.muted);
  }

  /** @param {string} digit */
  press(digit) {
    if (!this.#session?.isLive) return;
    this.#session.press(digit);
    const digits = part(this.#root, "digits");
    say(digits, (digits.textContent ?? "") + digit);
  }

  get isKeypadOpen() {
    return this.isLive && !part(this.#root, "pad").hidden;
  }

  #close() {
    if (this.isLive) return;
    this.#session = null;
    this.#target = null;
    this.#draw();
    if (this.#opener instanceof HTMLElement) this.#opener.focus();
  }

  #dial() {
    const target = this.#target;
    if (!target || this.isLive) return;
    const session = new CallSession(this.#root.dataset.socket ?? "");
    this.#session = session;
    say(part(this.#root, "digits"), "");
    this.#showKeypad(false);
    session.addEventListener("voice", () => this.#playVoice(session));
    session.addEventListener("change", () => this.#changed(session));
    session.addEventListener("refused", (event) => this.#refuse(/** @type {CustomEvent<string>} */ (event).detail));
    session.devices.addEventListener("tracks", () => this.#followMicrophone(session));
    this.#draw();
    part(this.#root, "hang-up").focus();
    void session.dial({ person: target.person, number_id: target.numberId, appointment: target.appointment, from: this.#from() });
  }

  /** @returns {string | null} null lets the server choose the only number there is */
  #from() {
    const select = maybePart(this.#root, "from");
    return select instanceof HTMLSelectElement ? select.value : null;
  }

  /** @returns {string} the number called from, as people write it */
  #fromShown() {
    const select = maybePart(this.#root, "from");
    const own = select instanceof HTMLSelectElement ? select.selectedOptions[0] : maybePart(this.#root, "from-only");
    return own instanceof HTMLElement ? (own.dataset.shown ?? "") : "";
  }

  /** @param {CallSession} session */
  #playVoice(session) {
    const voice = /** @type {HTMLAudioElement} */ (part(this.#root, "voice"));
    voice.srcObject = session.voice;
    void routeTo(voice, session.devices.chosen.speaker);
    void voice.play().catch(() => undefined);
    this.#stopTheirLevel();
    const track = session.voice?.getAudioTracks()[0];
    const meter = part(this.#root, "their-level");
    setLevel(meter, 0);
    this.#stopTheirLevel = track ? watchLevel(track, (level) => setLevel(meter, session.view?.held ? 0 : level)) : () => {};
  }

  /** @param {CallSession} session */
  #followMicrophone(session) {
    const meter = part(this.#root, "level");
    this.#stopLevel();
    setLevel(meter, 0);
    this.#stopLevel = session.microphone ? watchLevel(session.microphone, (level) => setLevel(meter, level)) : () => {};
  }

  #bindActions() {
    const root = this.#root;
    pressed(part(root, "mute"), () => this.toggleMute());
    pressed(part(root, "hold"), () => this.#session?.hold(!this.#session.view?.held));
    pressed(part(root, "hang-up"), () => this.#session?.hangUp());
    pressed(part(root, "keypad"), () => this.#showKeypad(Boolean(part(root, "pad").hidden)));
    for (const key of part(root, "pad").querySelectorAll("button")) pressed(key, () => this.press(key.dataset.digit ?? ""));
  }

  /** @param {boolean} open */
  #showKeypad(open) {
    show(part(this.#root, "pad"), open);
    part(this.#root, "keypad").setAttribute("aria-expanded", String(open));
  }

  /** @param {CallSession} session */
  #changed(session) {
    if (session !== this.#session) return;
    const wasLive = this.#root.dataset.callState !== "ended";
    this.#draw();
    if (wasLive && !session.isLive) part(this.#root, "done").focus();
  }

  #draw() {
    const session = this.#session;
    const root = this.#root;
    const isLive = this.isLive;
    mark(root, "callState", session?.stage ?? (this.#target ? "ready" : "closed"));
    mark(root, "outcome", session?.view?.outcome ?? null);
    mark(root, "held", session?.view?.held ? "true" : null);
    mark(root, "heldByThem", session?.view?.held_by_them ? "true" : null);
    show(root, this.#target !== null);
    show(part(root, "ready"), session === null);
    show(part(root, "live"), isLive);
    show(part(root, "after"), session !== null && !isLive);
    show(part(root, "close"), !isLive);
    show(part(root, "refused"), false);
    const shown = this.#target?.shown ?? "";
    say(part(root, "numbers"), session ? joined(unbroken(shown), this.#fromShown() && unbroken(`from ${this.#fromShown()}`)) : shown);
    if (session) this.#drawCall(session);
    else show(part(root, "timer"), false);
  }

  /** @param {CallSession} session */
  #drawCall(session) {
    const root = this.#root;
    const { view } = session;
    const words = view?.words ?? "Starting";
    const talking = session.stage === "talking";
    say(part(root, "words"), words.replace(/(…|\.{3})$/, ""));
    if (session.isLive) say(part(root, "announcer"), words);
    drawSecured(part(root, "secured"), view?.encryption ?? null);
    drawToggle(part(root, "mute"), view?.muted ?? false, ["mic", "mic-off"], ["Mute", "Unmute"]);
    drawToggle(part(root, "hold"), view?.held ?? false, ["pause", "play"], ["Hold", "Resume"]);
    enable(part(root, "mute"), view !== null);
    enable(part(root, "hold"), talking);
    enable(part(root, "keypad"), talking || session.stage === "early");
    say(part(root, "hang-up-words"), talking ? "Disconnect" : "Cancel");
    this.#drawKeys(session);
    this.#drawLine(session);
    this.#drawTimes(session);
    if (!session.isLive) this.#drawAfter(session);
  }

  /** What they pressed at their phone, such as the answer to a question. @param {CallSession} session */
  #drawKeys(session) {
    const line = part(this.#root, "keys-heard");
    const keys = session.view?.keys_heard ?? "";
    show(line, keys !== "");
    say(line, keys && `They pressed ${[...keys].join(" ")}`);
  }

  /** How the line sounds, both ways, in words (V11). @param {CallSession} session */
  #drawLine(session) {
    const { heard, sent } = session.isLive && session.view ? session.view : { heard: null, sent: null };
    for (const [name, sound] of /** @type {const} */ ([["heard", heard], ["sent", sent]])) {
      const line = part(this.#root, name);
      mark(line, "class", sound);
      say(line, sound ? LINE_WORDS[sound] : "");
    }
    const whose = heard === "poor" ? "you may not hear them well" : "they may not hear you well";
    const words = heard === "poor" || sent === "poor" ? `The connection is poor: ${whose}` : "";
    say(part(this.#root, "sound-announcer"), words);
    if (!session.isLive) this.#stopTheirLevel();
  }

  /** @param {CallSession} session */
  #drawTimes(session) {
    const { view } = session;
    const since = session.isLive ? performance.now() - session.heardAt : 0;
    const talkMs = view?.talk_ms ?? null;
    show(part(this.#root, "timer"), talkMs !== null);
    if (talkMs !== null) say(part(this.#root, "timer"), clock(talkMs + since));
    const cost = view?.cost;
    say(part(this.#root, "cost"), cost ? `${credits(cost.so_far)}${cost.next_block_in_ms === null ? "" : ` · next in ${clock(cost.next_block_in_ms - since)}`}` : "");
  }

  /** @param {CallSession} session */
  #drawAfter(session) {
    const { view, trouble } = session;
    const words = trouble ?? view?.words ?? "Call cancelled";
    say(part(this.#root, "outcome"), words);
    say(part(this.#root, "announcer"), words);
    const talked = view?.talk_ms ? `Talked ${clock(view.talk_ms)}` : "";
    const held = view && view.hold_ms >= 1000 ? `${clock(view.hold_ms)} of it on hold` : "";
    const byThem = view && view.held_by_them_ms >= 1000 ? `they held you for ${clock(view.held_by_them_ms)}` : "";
    const paid = view?.cost?.so_far ? credits(view.cost.so_far) : talked ? "" : "Nothing was charged";
    say(part(this.#root, "after-facts"), joined(talked, held, byThem, paid));
  }

  /** @param {string} words */
  #refuse(words) {
    say(part(this.#root, "refused"), words);
    show(part(this.#root, "refused"), true);
  }
}

/**
 * How sound is protected as far as the phone network.
 * @param {HTMLElement} line
 * @param {import("../lib/types.js").Encryption | null} encryption null before any sound was agreed
 */
function drawSecured(line, encryption) {
  show(line, encryption !== null);
  if (encryption === null) return;
  const { icon, words, meaning } = ENCRYPTION[encryption];
  setIcon(line, icon);
  say(part(line, "secured-words"), words);
  say(part(line, "secured-meaning"), meaning);
  show(part(line, "secured-meaning"), meaning !== "");
}

/**
 * @param {HTMLElement} button
 * @param {boolean} on
 * @param {[string, string]} icons off, on
 * @param {[string, string]} verbs what a press does when off, when on
 */
function drawToggle(button, on, icons, verbs) {
  button.setAttribute("aria-pressed", String(on));
  setIcon(button, icons[on ? 1 : 0]);
  say(button.querySelector("span"), verbs[on ? 1 : 0]);
}

/**
 * @param {HTMLElement} button
 * @param {boolean} on
 */
function enable(button, on) {
  if (button instanceof HTMLButtonElement) button.disabled = !on;
}

/** A number stays on one line. @param {string} words @returns {string} */
function unbroken(words) {
  return words.replaceAll(" ", "\u00a0");
}

/** @param {string[]} words @returns {string} */
function joined(...words) {
  return words.filter(Boolean).join(" · ");
}
