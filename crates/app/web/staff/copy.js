// Copies a visit link to the clipboard: the form would show it in the page, this spares the reader the selecting.

for (const form of document.querySelectorAll("form[data-copy-link]")) {
  if (!(form instanceof HTMLFormElement) || !navigator.clipboard) continue;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void copyLink(form);
  });
}
for (const field of document.querySelectorAll("input[data-select]")) {
  if (field instanceof HTMLInputElement) field.addEventListener("focus", () => field.select());
}

/**
 * Asks for a link and copies it; falls back to the form when the clipboard is closed to us.
 * @param {HTMLFormElement} form
 */
async function copyLink(form) {
  const button = form.querySelector("button");
  const words = button?.querySelector("span");
  try {
    const text = fetchLink(form);
    // Safari wants the promise handed over while the click still counts.
    if (typeof ClipboardItem === "function" && navigator.clipboard.write) {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((link) => new Blob([link], { type: "text/plain" })) })]);
    } else {
      await navigator.clipboard.writeText(await text);
    }
    if (words) {
      words.textContent = "Copied";
      setTimeout(() => (words.textContent = "Copy link"), 2500);
    }
  } catch {
    form.submit();
  }
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<string>}
 */
async function fetchLink(form) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  const answer = await fetch(form.action, { method: "POST", headers: { accept: "application/json" }, body });
  if (!answer.ok) throw new Error("no link");
  return (await answer.json()).link;
}
