// Opens pages in Chromium for tests: what a page asks for, what it complains about, and what axe-core finds in it.
//
// CHROMIUM is the program, BROWSER_MODULES the folder with playwright-core and axe-core: tests/tools/ensure.sh chromium, and browser-modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { CHROMIUM, BROWSER_MODULES } = process.env;
if (!CHROMIUM || !BROWSER_MODULES) throw new Error("set CHROMIUM and BROWSER_MODULES");
const load = createRequire(BROWSER_MODULES + "/");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");

/** Starts Chromium, hands a page to the work, and ends it. `complaints` has what the page has said and what it must not ask for. */
export async function withPage(allowedOrigin, work) {
  const browser = await load("playwright-core").chromium.launch({
    executablePath: CHROMIUM,
    // Chromium refuses its sandbox to root; the pages are our own
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    const complaints = [];
    page.on("console", message => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", error => complaints.push(String(error)));
    page.on("request", request => new URL(request.url()).origin === allowedOrigin || complaints.push(`asks for ${request.url()}`));
    return await work(page, complaints);
  } finally {
    await browser.close();
  }
}

/** Returns what axe-core finds against WCAG 2.2 AA and its own best practices, a line each. */
export async function barriers(page) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
  if (passes.length === 0) throw new Error("axe-core has looked at nothing");
  return violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.target).join(" ")}`);
}
