// The order of media in an offer. The server knows tracks by their place in it, and nothing is ever renegotiated.

/** Enough for 720p of one face; less where the line is worse. */
const VIDEO_BITS_MAX = 1_500_000;

/**
 * Up-audio, up-video, then three pairs of down-audio and down-video: the slots 0, 1, 2.
 * @param {RTCPeerConnection} pc
 * @param {{ audio: MediaStreamTrack | null, video: MediaStreamTrack | null }} tracks
 */
export function roomShape(pc, tracks) {
  const audio = pc.addTransceiver(tracks.audio ?? "audio", { direction: "sendonly" });
  const video = pc.addTransceiver(tracks.video ?? "video", {
    direction: "sendonly",
    sendEncodings: [{ maxBitrate: VIDEO_BITS_MAX }],
  });
  preferVp8(video, RTCRtpSender.getCapabilities("video"));
  const slots = [0, 1, 2].map(() => downPair(pc));
  return { audio: audio.sender, video: video.sender, slots };
}

/**
 * One microphone up, one voice down.
 * @param {RTCPeerConnection} pc
 * @param {MediaStreamTrack | null} microphone
 */
export function callShape(pc, microphone) {
  const audio = pc.addTransceiver(microphone ?? "audio", { direction: "sendrecv" });
  return { audio: audio.sender, voice: new MediaStream([audio.receiver.track]) };
}

/** @param {RTCPeerConnection} pc */
function downPair(pc) {
  const audio = pc.addTransceiver("audio", { direction: "recvonly" });
  const video = pc.addTransceiver("video", { direction: "recvonly" });
  preferVp8(video, RTCRtpReceiver.getCapabilities("video"));
  return { audio, video, stream: new MediaStream([audio.receiver.track, video.receiver.track]) };
}

/**
 * VP8 and its retransmissions: what every browser speaks and the room forwards.
 * @param {RTCRtpTransceiver} transceiver
 * @param {RTCRtpCapabilities | null} capabilities
 */
function preferVp8(transceiver, capabilities) {
  const wanted = capabilities?.codecs.filter((codec) => /^video\/(vp8|rtx)$/i.test(codec.mimeType)) ?? [];
  if (wanted.length > 0) transceiver.setCodecPreferences(wanted);
}
