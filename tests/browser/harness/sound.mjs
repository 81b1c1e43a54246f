/** Sound as numbers: what a page says and what a peer has heard. */
import { openSync, readSync, closeSync, fstatSync } from "node:fs";

const RATE = 8000;
/** What stands before the samples in a WAV file. */
const WAV_HEADER = 44;

/**
 * Gives a page a tone for a microphone, before it asks for one.
 * @param {import("puppeteer-core").Page} page
 */
export function speaks(page, hz, dbfs) {
  return page.evaluateOnNewDocument(
    (frequency, gain) => {
      navigator.mediaDevices.getUserMedia = async () => {
        const context = new AudioContext();
        await context.resume();
        const microphone = context.createMediaStreamDestination();
        const oscillator = new OscillatorNode(context, { frequency });
        oscillator.connect(new GainNode(context, { gain })).connect(microphone);
        oscillator.start();
        return microphone.stream;
      };
    },
    hz,
    10 ** (dbfs / 20),
  );
}

/** The last `seconds` of a WAV file of 16 bits at 8 kHz that somebody still writes. */
export function tail(path, seconds) {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const from = Math.max(WAV_HEADER, size - (size % 2) - seconds * RATE * 2);
    const bytes = Buffer.alloc(Math.max(0, size - (size % 2) - from));
    readSync(file, bytes, 0, bytes.length, from);
    return Int16Array.from({ length: bytes.length / 2 }, (_, n) => bytes.readInt16LE(n * 2));
  } finally {
    closeSync(file);
  }
}

/** Its strongest frequency up to 2 kHz, in steps of 2 Hz, and its level: full scale is a sine of 0 dBFS. */
export function measured(samples) {
  if (samples.length === 0) return { hz: 0, dbfs: -Infinity };
  const energy = samples.reduce((sum, it) => sum + it * it, 0) / samples.length / 32768 ** 2;
  let best = { hz: 0, power: 0 };
  for (let hz = 100; hz <= 2000; hz += 2) {
    const power = powerAt(samples, hz);
    if (power > best.power) best = { hz, power };
  }
  return { hz: best.hz, dbfs: 10 * Math.log10(2 * energy) };
}

/** Goertzel. */
function powerAt(samples, hz) {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / RATE);
  let [before, last] = [0, 0];
  for (const sample of samples) [before, last] = [last, sample + coefficient * last - before];
  return last * last + before * before - coefficient * last * before;
}

/** One second of a tone in A-law (G.711), at 8 kHz. */
export function pcma({ hz, dbfs }) {
  const peak = 32767 * 10 ** (dbfs / 20);
  return Buffer.from(Uint8Array.from({ length: RATE }, (_, n) => aLaw(Math.round(peak * Math.sin((2 * Math.PI * hz * n) / RATE)))));
}

/** Sign, a segment of three bits, four bits within it; every second bit is turned over. */
function aLaw(sample) {
  const sign = sample >= 0 ? 0x80 : 0;
  const size = Math.min(sample >= 0 ? sample : -sample - 1, 32767) >> 3;
  const segment = Math.max(0, 27 - Math.clz32(size | 1));
  const within = (size >> Math.max(1, segment)) & 0x0f;
  return (sign | (segment << 4) | within) ^ 0x55;
}

export function isNear({ hz }, tone) {
  return Math.abs(hz - tone.hz) < 6;
}

/** The frequency, and the level but for what coding, and gaps on a busy machine, take away: up to 6 dB. */
export function isTone(sound, tone) {
  const off = sound.dbfs - tone.dbfs;
  if (isNear(sound, tone) && off > -6 && off < 1) return true;
  throw new Error(JSON.stringify(sound));
}
