import { Backoff } from "./backoff.js";

/** A server that stops sends a page to one that sends it on, and there it stays. */
const MOVES_MAX = 3;

/**
 * The page's line to the server: one WebSocket, opened again whenever it is lost. Where several servers share the clinic, it follows to the
 * one that holds the consultation; lost there, it begins at our own again.
 *
 * Events: `open` (a new socket; the server speaks first), `lost`, `message` (detail: the parsed object).
 * `data-` state of a page never lives here: whoever listens decides what a lost line means.
 *
 * @template {{ type: string }} Out what the page says
 */
export class Signal extends EventTarget {
  #url;
  #reopens;
  #backoff = new Backoff(400, 8000);
  /** How often in a row this line was sent to another server, and heard nothing else. */
  #moves = 0;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} path such as `/visit/socket`
   * @param {{ reopens: boolean }} options a call's line is not reopened: its call is over with it
   */
  constructor(path, { reopens }) {
    super();
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#url = url;
    this.#reopens = reopens;
    if (reopens) addEventListener("online", () => this.#hurry());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** @param {URL} [url] the server that the line is opened to; our own, unless it sends us elsewhere */
  open(url = this.#url) {
    clearTimeout(this.#timer);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (event) => this.#heard(socket, event.data);
    socket.onclose = () => this.#closed(socket);
  }

  /**
   * @param {Out} message
   * @returns {boolean} false when there is no line: nothing is kept for later, since later it may be wrong
   */
  send(message) {
    if (!this.isOpen) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  /** Closes for good. */
  close() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#reopens = false;
    socket?.close();
  }

  /** @param {WebSocket} socket */
  #opened(socket) {
    if (socket !== this.#socket) return;
    this.#backoff.reset();
    this.dispatchEvent(new Event("open"));
  }

  /**
   * @param {WebSocket} socket
   * @param {unknown} data
   */
  #heard(socket, data) {
    if (socket !== this.#socket || typeof data !== "string") return;
    const message = JSON.parse(data);
    if (message.type === "elsewhere") return this.#move(socket, message.url);
    this.#moves = 0;
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  /**
   * Follows to the server that has what we ask for. Two that send us to each other are asked again after a pause.
   * @param {WebSocket} socket
   * @param {string} url
   */
  #move(socket, url) {
    this.#moves += 1;
    if (this.#moves <= MOVES_MAX) this.open(new URL(url));
    else this.#moves = 0;
    socket.close();
  }

  /** @param {WebSocket} socket */
  #closed(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (this.#reopens) this.#timer = setTimeout(() => this.open(), this.#backoff.next());
    this.dispatchEvent(new Event("lost"));
  }

  #hurry() {
    if (!this.#reopens || this.#socket) return;
    this.#backoff.reset();
    this.open();
  }
}
