import { existsSync } from "node:fs";

import puppeteer from "puppeteer-core";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * Starts one headless Chromium with a pretend camera and microphone. Each person gets a context of their own, so that
 * cookies are not shared.
 */
export async function launch() {
  return puppeteer.launch({
    executablePath: process.env.HOUSECALL_CHROMIUM ?? CANDIDATES[0],
    headless: true,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      // The program listens on loopback, which a name in .local would hide from it.
      "--disable-features=WebRtcHideLocalIpsWithMdns",
      // Four pages in one window: those in the back must not slow down.
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--disable-background-timer-throttling",
      // No word to anybody outside.
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/** Where Firefox is; nowhere on machines that have none. */
export const FIREFOX = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync);

/** The same for Firefox, driven by WebDriver BiDi. */
export function launchFirefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      // The program listens on loopback, which Firefox leaves out, and which a name in .local would hide.
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
    },
  });
}

/**
 * Opens a page for one person, with cookies of its own.
 * @param {import("puppeteer-core").Browser} browser
 * @param {string} name for the errors
 */
export async function person(browser, name) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(`${name}: ${error instanceof Error ? error.message : error}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${name}: ${message.text()}`);
  });
  return Object.assign(page, { person: name, errors });
}

/**
 * What the page receives over its latest peer connection: one entry a track, in the order of the offer.
 * @param {import("puppeteer-core").Page} page
 * @returns {Promise<{mid: string, kind: string, frames: number, energy: number, packets: number}[]>}
 */
export function received(page) {
  return page.evaluate(async () => {
    const peer = document.housecallPeer;
    if (!peer) return [];
    const tracks = [];
    for (const it of (await peer.getStats()).values()) {
      if (it.type !== "inbound-rtp") continue;
      tracks.push({
        mid: it.mid,
        kind: it.kind,
        frames: it.framesDecoded ?? 0,
        energy: it.totalAudioEnergy ?? 0,
        packets: it.packetsReceived,
      });
    }
    return tracks.sort((a, b) => Number(a.mid) - Number(b.mid));
  });
}

/**
 * The strongest frequency and the level of what the page hears in the call: `{ hz, dbfs }`. The analyser is made at the
 * first question and asked again at every further one.
 * @param {import("puppeteer-core").Page} page
 * @param {number} [line] which of the sounds of the offer, counted from 0; in a room, 1 is what is heard in its first slot
 * @returns {Promise<{hz: number, dbfs: number}>}
 */
export function heard(page, line = 0) {
  return page.evaluate(async (index) => {
    const peer = document.housecallPeer;
    const receiver = peer?.getReceivers().filter((it) => it.track.kind === "audio")[index];
    if (!receiver) return { hz: 0, dbfs: -Infinity };
    if (!receiver.housecallAnalyser) {
      const context = new AudioContext();
      await context.resume();
      const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(new MediaStream([receiver.track])).connect(analyser);
      receiver.housecallAnalyser = analyser;
    }
    const analyser = receiver.housecallAnalyser;
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    const energy = samples.reduce((sum, it) => sum + it * it, 0) / samples.length;
    const strongest = spectrum.indexOf(Math.max(...spectrum));
    return {
      hz: (strongest * analyser.context.sampleRate) / analyser.fftSize,
      // Perfect silence has no end of decibels, and no number for it comes out of the page.
      dbfs: Math.max(-120, 10 * Math.log10(2 * energy)),
    };
  }, line);
}

/**
 * How the page codes its voice: what was asked of it (`fmtp`), and the bits in a second that it aims at.
 * @param {import("puppeteer-core").Page} page
 * @returns {Promise<{fmtp: string, bits: number}>}
 */
export function voiceSent(page) {
  return page.evaluate(async () => {
    const stats = await document.housecallPeer.getStats();
    const sent = [...stats.values()].find((it) => it.type === "outbound-rtp" && it.kind === "audio");
    const { mimeType, sdpFmtpLine } = stats.get(sent.codecId);
    return { codec: mimeType, fmtp: sdpFmtpLine, bits: sent.targetBitrate };
  });
}
