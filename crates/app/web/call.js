// The call panel of a staff page. Any element with data-call-person ("patient:12") and data-call-number ("7") opens it; data-call-name,
// data-call-shown (the number as written) and data-call-appointment say more. State is on #call-panel: data-call-state, data-outcome, data-held.
import { CallPanel } from "./call/panel.js";
import { bindKeys } from "./lib/keys.js";

const root = document.getElementById("call-panel");
if (root) start(root);

/** @param {HTMLElement} root */
function start(root) {
  const panel = new CallPanel(root);
  document.addEventListener("click", (event) => {
    const opener = event.target instanceof Element ? event.target.closest("[data-call-person]") : null;
    if (!(opener instanceof HTMLElement)) return;
    event.preventDefault();
    panel.open(targetOf(opener), opener);
  });
  addEventListener("beforeunload", (event) => {
    if (panel.isLive) event.preventDefault();
  });
  bindKeys({ m: () => panel.toggleMute() });
  document.addEventListener("keydown", (event) => {
    if (panel.isKeypadOpen && root.contains(document.activeElement) && /^[0-9*#]$/.test(event.key)) panel.press(event.key);
  });
}

/**
 * @param {HTMLElement} opener
 * @returns {import("./call/panel.js").Target}
 */
function targetOf(opener) {
  const { callPerson, callNumber, callName, callShown, callAppointment } = opener.dataset;
  return {
    person: callPerson ?? "",
    numberId: Number(callNumber),
    appointment: callAppointment ? Number(callAppointment) : null,
    name: callName || (opener.getAttribute("aria-label") ?? "").replace(/^Call\s+/, "") || "Phone call",
    shown: callShown ?? "",
  };
}
