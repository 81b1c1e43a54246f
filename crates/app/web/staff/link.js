// Signs in with the part of the address behind `#`: browsers send it to nobody, so it is posted once.
import { part, say } from "../lib/dom.js";

const status = part(document, "status");
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

/** @returns {Promise<string>} where to go */
async function exchange() {
  const answer = await fetch("/sign-in/link", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  const words = await answer.json();
  if (!answer.ok) throw new Error(words.message);
  return words.go;
}

exchange().then(
  (go) => location.replace(go),
  (error) => {
    status.className = "note bad";
    say(status, error instanceof TypeError ? "Housecall cannot be reached. Check the connection and open the link again." : error.message);
  },
);
