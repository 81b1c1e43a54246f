// How loud a microphone is, without any connection.

/** @type {AudioContext | null} */
let shared = null;

/** The page's one AudioContext. Browsers start it with the first press or key. @returns {AudioContext} */
export function audioContext() {
  if (!shared) {
    const context = new AudioContext();
    const wake = () => void context.resume();
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake, { passive: true });
    shared = context;
  }
  if (shared.state === "suspended") void shared.resume();
  return shared;
}

/**
 * Reports the level of a track, 0 to 1, about 15 times a second.
 * @param {MediaStreamTrack} track
 * @param {(level: number) => void} report
 * @returns {() => void} stops it
 */
export function watchLevel(track, report) {
  const context = audioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(context, { fftSize: 1024, smoothingTimeConstant: 0 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    report(perceived(rms(samples)));
  }, 66);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}

/**
 * Turns an amplitude into what a bar should show: -60 dB is nothing, -10 dB is full.
 * @param {number} amplitude 0 to 1
 * @returns {number} 0 to 1
 */
export function perceived(amplitude) {
  if (amplitude <= 0) return 0;
  const decibel = 20 * Math.log10(amplitude);
  return Math.min(1, Math.max(0, (decibel + 60) / 50));
}

/** @param {Float32Array} samples @returns {number} */
function rms(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}
