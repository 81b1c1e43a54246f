// What the connection says of itself: who speaks, and how good the line is.
import { perceived } from "./level.js";

/**
 * @typedef {object} Reading
 * @property {Map<string, number>} levels 0 to 1 by `mid` of what is heard
 * @property {number} ownLevel 0 to 1, of the microphone as it is sent
 * @property {number} packets received so far
 * @property {number} lost so far
 * @property {number | null} roundTripMs
 */

/**
 * @param {RTCPeerConnection} pc
 * @returns {Promise<Reading>}
 */
export async function readStats(pc) {
  /** @type {Reading} */
  const reading = { levels: new Map(), ownLevel: 0, packets: 0, lost: 0, roundTripMs: null };
  (await pc.getStats()).forEach((entry) => {
    if (entry.type === "inbound-rtp") readInbound(reading, entry);
    else if (entry.type === "media-source" && entry.kind === "audio") reading.ownLevel = perceived(entry.audioLevel ?? 0);
    else if (entry.type === "candidate-pair" && entry.nominated) reading.roundTripMs = (entry.currentRoundTripTime ?? 0) * 1000;
  });
  return reading;
}

/**
 * @param {Reading} reading
 * @param {any} entry the DOM types leave an inbound stream's fields open
 */
function readInbound(reading, entry) {
  reading.packets += entry.packetsReceived ?? 0;
  reading.lost += Math.max(0, entry.packetsLost ?? 0);
  if (entry.kind === "audio") reading.levels.set(entry.mid ?? "", perceived(entry.audioLevel ?? 0));
}

/** @typedef {"good" | "fair" | "poor"} Quality */

/** Judges a line by what happened between readings, over about five seconds. */
export class LineWatch {
  /** @type {Reading[]} */
  #readings = [];

  /**
   * @param {Reading} reading
   * @returns {Quality}
   */
  judge(reading) {
    this.#readings.push(reading);
    if (this.#readings.length > 20) this.#readings.shift();
    const first = this.#readings[0] ?? reading;
    const lost = reading.lost - first.lost;
    const all = reading.packets - first.packets + lost;
    const share = all > 50 ? lost / all : 0;
    const trip = reading.roundTripMs ?? 0;
    if (share > 0.08 || trip > 600) return "poor";
    return share > 0.02 || trip > 300 ? "fair" : "good";
  }
}
