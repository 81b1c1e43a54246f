import { part, say, show } from "./dom.js";

/**
 * Exchanges the secret behind `#` for a cookie (A2) and goes where the server says.
 *
 * The fragment leaves the address bar first, so that it stays in no history and no screenshot.
 * @param {string} path where to post it
 * @returns {Promise<void>}
 */
export async function exchangeFragment(path) {
  const status = part(document, "status");
  const token = location.hash.replace(/^#(token=)?/, "");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  if (!token) return refuse(status, "This link is incomplete. Open it again from your message, whole.");
  try {
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ token }) });
    const body = await response.json();
    if (response.ok) location.replace(body.go);
    else refuse(status, body.message ?? "This link does not work any more. Ask the clinic for a new one.");
  } catch {
    refuse(status, "The clinic could not be reached. Check your connection.");
    offerAgain(status, path, token);
  }
}

/**
 * @param {HTMLElement} status
 * @param {string} words
 */
function refuse(status, words) {
  status.classList.remove("loading");
  say(status, words);
}

/**
 * @param {HTMLElement} status
 * @param {string} path
 * @param {string} token
 */
function offerAgain(status, path, token) {
  const button = document.querySelector("[data-part='retry']");
  if (!(button instanceof HTMLButtonElement)) return;
  show(button, true);
  button.onclick = () => {
    show(button, false);
    status.classList.add("loading");
    say(status, "One moment…");
    history.replaceState(null, "", `${location.pathname}#${token}`);
    void exchangeFragment(path);
  };
}
