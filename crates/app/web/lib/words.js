// Names, amounts and lengths of time as people read them.

/** @param {string} name @returns {string} */
export function initials(name) {
  const words = name.replace(/^(dr|prof|mr|mrs|ms|mx)\.?\s+/i, "").split(/\s+/).filter(Boolean);
  const first = words[0]?.[0] ?? "?";
  const last = words.length > 1 ? (words.at(-1)?.[0] ?? "") : "";
  return (first + last).toUpperCase();
}

/** "Sam", "Sam and Ruth", "Sam, Ruth and Ana". @param {string[]} names @returns {string} */
export function listed(names) {
  if (names.length < 2) return names[0] ?? "";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** "1 credit", "8 credits". @param {number} amount @returns {string} */
export function credits(amount) {
  return `${amount.toLocaleString("en-AU")} ${Math.abs(amount) === 1 ? "credit" : "credits"}`;
}

/** "23:41", "1:03:41". Whole seconds, rounded down. @param {number} ms @returns {string} */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}

/** "less than a minute", "4 min", "1 h 20 min", "2 days". @param {number} ms @returns {string} */
export function span(ms) {
  const minutes = Math.ceil(ms / 60_000);
  if (ms < 60_000) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** How long somebody has waited: "just now", "3 min". @param {number} ms @returns {string} */
export function waited(ms) {
  return ms < 60_000 ? "just now" : `${Math.floor(ms / 60_000)} min`;
}

/** The given name, for headings; titles stay with the surname. @param {string} name @returns {string} */
export function shortName(name) {
  const words = name.split(/\s+/);
  return /^(dr|prof)\.?$/i.test(words[0] ?? "") ? `${words[0]} ${words.at(-1)}` : (words[0] ?? name);
}
