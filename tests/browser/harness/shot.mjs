/** The width of a desk and of a phone. */
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/**
 * Takes pictures of a page, for whoever asks by naming a folder in HOUSECALL_SHOTS.
 * @param {string} name
 * @param {import("puppeteer-core").Page} page
 * @param {{ fullPage?: boolean }} [options]
 */
export async function shot(name, page, options = {}) {
  const folder = process.env.HOUSECALL_SHOTS;
  if (!folder) return;
  for (const size of SIZES) {
    await page.setViewport(size);
    await page.screenshot({ path: `${folder}/${name}-${size.width}.png`, ...options });
  }
  await page.setViewport(null);
}
