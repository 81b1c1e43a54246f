// What the living pages and the server say to each other: JSON, one object a message, `type` names it.
// The strings are the server's own enum names. Times are whole milliseconds, money is whole credits.

/** One place in a room. There is no fourth patient (V2). */
export type Seat = "practitioner" | "patient_1" | "patient_2" | "patient_3";
/** A place on one's own page where another person is seen and heard. */
export type Slot = 0 | 1 | 2;
export type Phase = "waiting" | "open" | "ended";
export type Place = "absent" | "waiting" | "in_room" | "reconnecting" | "left";

export interface Person {
  seat: Seat;
  name: string;
  place: Place;
  muted: boolean;
  camera_off: boolean;
  /** Where the viewer of this message sees the person; null for the viewer and for those not in the room. */
  slot: Slot | null;
  waiting_ms: number | null;
  /** Heard, and not seen (V13). */
  by_phone: boolean;
  /** The phone that was rung for them last: on the practitioner's page and their own. */
  phone: Phone | null;
}

/** A patient's phone, from its first ringing on. */
export interface Phone {
  state: "dialing" | "ringing" | "talking" | "ended";
  words: string;
  talk_ms: number | null;
  /** How it sounds here; null while nothing is judged. */
  heard: SoundClass | null;
}

/** What the practitioner reads before a patient's phone rings. */
export interface PhoneChoice {
  type: "phone_choice";
  seat: Seat;
  name: string;
  numbers: { id: number; label: string; number: string }[];
  /** The number that they see. */
  from: string;
  /** How long the estimate reaches. */
  minutes: number;
  /** Credits more than by video (M9). */
  more: number;
}

export interface Cost {
  so_far: number;
  /** Null while nothing runs. */
  next_block_in_ms: number | null;
  /** Below zero when a call in progress outran the account (M8). */
  available: number;
}

/** The room as one person may know it. Sent on every change, and once a second while money runs. */
export interface RoomView {
  type: "view";
  you: Seat;
  phase: Phase;
  /** Why it ended, in words. */
  ended: string | null;
  people: Person[];
  elapsed_ms: number | null;
  /** The practitioner's page only. */
  cost: Cost | null;
}

export type VisitClientMessage =
  | { type: "check_in" }
  | { type: "join"; offer: string; from_phone: boolean }
  | { type: "phone_choice"; seat: Seat }
  | { type: "ring"; seat: Seat; number_id: number }
  | { type: "hang_up_phone"; seat: Seat }
  | { type: "admit"; seat: Seat }
  | { type: "admit_all" }
  | { type: "send_back"; seat: Seat }
  | { type: "state"; muted: boolean; camera_off: boolean }
  | { type: "leave" }
  | { type: "disconnect" };

export type VisitServerMessage =
  | RoomView
  | { type: "answer"; sdp: string }
  | PhoneChoice
  | { type: "refused"; what: VisitClientMessage["type"]; message: string }
  | { type: "evicted" }
  | Elsewhere;

/** For the line itself: what is asked for is at another server, at this address. */
export type Elsewhere = { type: "elsewhere"; url: string };

export type CallState = "dialing" | "ringing" | "early" | "talking" | "ended";
export type Outcome =
  | "completed" | "busy" | "no_answer" | "declined" | "wrong_number" | "cancelled" | "not_permitted" | "congested" | "failed" | "media_lost";

/** With `keys_in_clear`, whoever reads the signalling on the way can decrypt the sound. */
export type Encryption = "none" | "keys_in_clear" | "full";

export type SoundClass = "good" | "fair" | "poor";

/** The call as its caller sees it. Sent on every change, and once a second while talking. */
export interface CallView {
  type: "call";
  state: CallState;
  words: string;
  held: boolean;
  held_by_them: boolean;
  muted: boolean;
  /** What they pressed at their phone: the last 16 keys. */
  keys_heard: string;
  /** How sound is protected as far as the phone network; null before any was agreed. */
  encryption: Encryption | null;
  talk_ms: number | null;
  hold_ms: number;
  held_by_them_ms: number;
  cost: Cost | null;
  outcome: Outcome | null;
  /** How the other end sounds here; null while nothing is judged. */
  heard: SoundClass | null;
  /** How we sound there; null while nothing is judged, as in a hold or muted. */
  sent: SoundClass | null;
}

export interface Dial {
  type: "dial";
  /** `patient:12` or `contact:3`. */
  person: string;
  number_id: number;
  appointment: number | null;
  /** The dedicated number to call from (E.164); null lets the server choose. */
  from: string | null;
  offer: string;
}

export type CallClientMessage =
  | Dial
  | { type: "hold" }
  | { type: "resume" }
  | { type: "mute"; on: boolean }
  | { type: "digit"; digit: string }
  | { type: "hang_up" };

export type CallServerMessage =
  | CallView
  | { type: "answer"; sdp: string }
  | { type: "refused"; message: string }
  | Elsewhere;

declare global {
  interface Document {
    /** The newest peer connection of the page, for `getStats()` in browser tests. */
    housecallPeer?: RTCPeerConnection;
  }
}
