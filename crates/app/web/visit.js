// The visit page of both sides: finds the parts and wires them. State is on #visit: data-stage, data-phase, data-place, data-link, data-line.
import { mark, part, say, show } from "./lib/dom.js";
import { Devices } from "./lib/devices.js";
import { bindKeys } from "./lib/keys.js";
import { everyTick, serverClock } from "./lib/ticker.js";
import { bindAfter } from "./visit/after.js";
import { bindPatientLobby } from "./visit/patient.js";
import { bindPractitionerLobby } from "./visit/practitioner.js";
import { bindPreview } from "./visit/preview.js";
import { bindRoom } from "./visit/room.js";
import { VisitSession } from "./visit/session.js";
import { me } from "./visit/stage.js";
import { keepAwake } from "./visit/wake.js";

const root = document.getElementById("visit");
if (root) start(root);

/** @param {HTMLElement} root */
function start(root) {
  const session = new VisitSession(root.dataset.socket ?? "", new Devices({ video: true }));
  const now = serverClock(Number(root.dataset.nowMs));
  const bindLobby = root.dataset.role === "practitioner" ? bindPractitionerLobby : bindPatientLobby;
  bindPreview(root, session);
  const drawers = [bindLobby(root, session, now), bindRoom(root, session), bindAfter(root, session)];
  const draw = () => {
    drawStage(root, session);
    for (const each of drawers) each();
  };
  session.addEventListener("change", draw);
  everyTick(draw);
  bindWords(root, session);
  bindKeys({
    m: () => session.setMuted(!session.devices.muted),
    v: () => void session.setCameraOff(!session.devices.cameraOff),
    p: () => root.querySelector("[data-part='people-toggle']")?.dispatchEvent(new MouseEvent("click")),
  });
  keepAwake(() => session.stage === "room");
  // Another server was started since this page was: only a fresh page may speak with it.
  addEventListener("securitypolicyviolation", (event) => event.effectiveDirective === "connect-src" && location.reload());
  // A page kept by the back button has a dead line and a dead camera.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  session.start();
  void session.devices.start();
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function drawStage(root, session) {
  const { view, stage } = session;
  const before = root.dataset.stage;
  mark(root, "stage", stage);
  mark(root, "phase", view?.phase ?? "unknown");
  mark(root, "place", (view && me(view)?.place) ?? "unknown");
  mark(root, "link", session.link.state);
  mark(root, "line", session.isOnline ? "open" : "lost");
  const after = ["phone", "ended", "left", "moved", "elsewhere"].includes(stage);
  show(part(root, "lobby"), !after && stage !== "room");
  show(part(root, "room"), stage === "room");
  show(part(root, "after"), after);
  document.documentElement.classList.toggle("in-room", stage === "room");
  const lost = view !== null && !session.isOnline && !after;
  say(part(root, "line-words"), lost ? "The connection to the clinic was lost. Reconnecting…" : "");
  show(part(root, "line-words"), lost);
  if (before !== stage && before !== "loading") settle(root, session, stage, after);
}

/**
 * On entering a stage: focus follows what is shown, and the camera goes out when it is over.
 * @param {HTMLElement} root
 * @param {VisitSession} session
 * @param {string} stage
 * @param {boolean} after
 */
function settle(root, session, stage, after) {
  if (stage === "room") part(root, "room").focus();
  if (!after) return;
  for (const dialog of root.querySelectorAll("dialog")) dialog.close();
  part(root, "after").focus();
  session.devices.stop();
}

/**
 * @param {HTMLElement} root
 * @param {VisitSession} session
 */
function bindWords(root, session) {
  const announcer = part(root, "announcer");
  const refused = part(root, "refused");
  session.addEventListener("announce", (event) => say(announcer, /** @type {CustomEvent<string>} */ (event).detail));
  session.addEventListener("refused", (event) => {
    const { message } = /** @type {CustomEvent<{ message: string }>} */ (event).detail;
    say(refused, message);
    show(refused, true);
    showToast(root, message);
  });
  root.addEventListener("click", () => show(refused, false), { capture: true });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let toastTimer;

/**
 * A refusal inside the room, where the lobby's own note is out of sight.
 * @param {HTMLElement} root
 * @param {string} words
 */
function showToast(root, words) {
  const toast = part(root, "toast");
  say(toast, words);
  show(toast, true);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => show(toast, false), 7000);
}
