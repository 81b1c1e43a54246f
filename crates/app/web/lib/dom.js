// Finding and filling the parts of a page. Structure lives in the templates; modules only fill it.

const icons = new URL("../icons.svg", import.meta.url).pathname;

/**
 * Returns the element marked `data-part="name"`.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement}
 * @throws when the template lacks it: a mistake of ours, not of the visitor
 */
export function part(root, name) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no part ${name}`);
  return found;
}

/**
 * Returns the part when this side's page has it: the practitioner's page has more than a patient's.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement | null}
 */
export function maybePart(root, name) {
  return /** @type {HTMLElement | null} */ (root.querySelector(`[data-part="${name}"]`));
}

/**
 * Writes text only when it differs, so that a live region speaks once.
 * @param {Element | null} element
 * @param {string} words
 */
export function say(element, words) {
  if (element && element.textContent !== words) element.textContent = words;
}

/**
 * @param {HTMLElement | null} element
 * @param {boolean} visible
 */
export function show(element, visible) {
  if (element && element.hidden === visible) element.hidden = !visible;
}

/**
 * Sets a `data-` attribute only when it differs.
 * @param {HTMLElement} element
 * @param {string} name camelCase
 * @param {string | null} value null removes it
 */
export function mark(element, name, value) {
  if (value === null) delete element.dataset[name];
  else if (element.dataset[name] !== value) element.dataset[name] = value;
}

/**
 * @param {HTMLElement | null} button
 * @param {boolean} busy
 */
export function setBusy(button, busy) {
  if (!(button instanceof HTMLButtonElement)) return;
  button.disabled = busy;
  button.setAttribute("aria-busy", String(busy));
}

/**
 * Puts another icon of `icons.svg` into an element's first `<use>`.
 * @param {Element} element
 * @param {string} name
 */
export function setIcon(element, name) {
  const use = element.querySelector("use");
  const href = `${icons}#${name}`;
  if (use && use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/**
 * Copies the only child of a `<template data-part="name">`.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement}
 */
export function copyOf(root, name) {
  const template = part(root, name);
  const child = template instanceof HTMLTemplateElement ? template.content.firstElementChild : null;
  if (!child) throw new Error(`the page has no template ${name}`);
  return /** @type {HTMLElement} */ (child.cloneNode(true));
}

/**
 * Runs `act` when the element is pressed.
 * @param {HTMLElement | null} element
 * @param {() => void} act
 */
export function pressed(element, act) {
  element?.addEventListener("click", act);
}
