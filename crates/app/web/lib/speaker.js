// Sounds that this page makes itself: the speaker test and the chime.
import { audioContext } from "./level.js";

const TEST_NOTES = [523.25, 659.25, 783.99, 1046.5];
const CHIME_NOTES = [659.25, 880];

/**
 * Plays four rising notes on the chosen speaker.
 * @param {string} deviceId empty is the browser's choice
 * @returns {Promise<void>} when the last note has ended
 */
export function playTest(deviceId) {
  return playNotes(TEST_NOTES, 0.35, 0.22, deviceId);
}

/**
 * Two soft notes: somebody is waiting.
 * @param {string} deviceId
 */
export function playChime(deviceId) {
  return playNotes(CHIME_NOTES, 0.22, 0.1, deviceId);
}

/**
 * @param {number[]} notes Hz
 * @param {number} length seconds a note
 * @param {number} loudness 0 to 1
 * @param {string} deviceId
 * @returns {Promise<void>}
 */
async function playNotes(notes, length, loudness, deviceId) {
  const context = audioContext();
  const out = context.createMediaStreamDestination();
  notes.forEach((frequency, index) => playNote(context, out, { frequency, at: context.currentTime + 0.05 + index * length, length, loudness }));
  const element = new Audio();
  element.srcObject = out.stream;
  await routeTo(element, deviceId);
  await element.play().catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, (notes.length * length + 0.4) * 1000));
  element.srcObject = null;
}

/**
 * @param {AudioContext} context
 * @param {AudioNode} out
 * @param {{ frequency: number, at: number, length: number, loudness: number }} note
 */
function playNote(context, out, { frequency, at, length, loudness }) {
  const tone = new OscillatorNode(context, { frequency, type: "sine" });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setTargetAtTime(loudness, at, 0.01);
  volume.gain.setTargetAtTime(0, at + length * 0.55, 0.09);
  tone.connect(volume).connect(out);
  tone.start(at);
  tone.stop(at + length + 0.3);
}

/**
 * Sends an element's sound to a speaker, where the browser lets the page choose.
 * @param {HTMLMediaElement} element
 * @param {string} deviceId
 */
export async function routeTo(element, deviceId) {
  try {
    await element.setSinkId?.(deviceId);
  } catch {
    // The speaker is gone; the browser's own choice goes on playing.
  }
}
