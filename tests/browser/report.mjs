// Looks at the page of `report -o html --serve` as a person does: what is there, filters, the print view, barriers, and that it is live.
//
//   node tests/browser/report.mjs URL FOLDER
//
// Expects the buckets finance-ledger (InSync), finance-archive (InSync) and no-such-bucket (Failed). Prints "loaded" when all but the last is looked at;
// then somebody must make a policy for the bucket arrives-later. Screenshots and the print view are left in FOLDER.
import assert from "node:assert/strict";
import { barriers, withPage } from "./page.mjs";

const [url, folder] = process.argv.slice(2);
const patience = 30_000;

const rows = page => page.locator("tbody tr:visible").locator("td:nth-child(2)").allTextContents();
const shown = page => page.locator("caption").innerText();

await withPage(new URL(url).origin, async (page, complaints) => {
  await page.goto(url);
  assert.equal(await page.title(), "Bucket encryption report");
  assert.deepEqual((await rows(page)).sort(), ["finance-archive", "finance-ledger", "no-such-bucket"]);
  assert.deepEqual(await page.locator("#totals div").allInnerTexts(), ["InSync\n2", "Drifted\n0", "Failed\n1", "All\n3"]);
  assert.deepEqual(await barriers(page), []);
  await page.screenshot({ path: `${folder}/report.png` });

  await page.getByLabel("State").selectOption("Failed");
  assert.deepEqual(await rows(page), ["no-such-bucket"]);
  assert.equal(await shown(page), "1 of 3 rows");
  await page.getByLabel("State").selectOption("");
  await page.getByLabel("Text").fill("LEDGER");
  assert.deepEqual(await rows(page), ["finance-ledger"]);
  await page.getByLabel("Text").fill("nothing has this");
  assert.equal(await shown(page), "0 of 3 rows");
  assert.deepEqual(await barriers(page), []);
  await page.getByLabel("Text").fill("");
  await page.getByLabel("Namespace").selectOption({ index: 1 });
  assert.equal(await shown(page), "3 of 3 rows");

  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("form").isVisible(), false);
  assert.equal(await page.locator("tbody tr:visible").count(), 3);
  assert.ok((await page.pdf({ path: `${folder}/report.pdf`, format: "A4", landscape: true })).subarray(0, 5).toString() === "%PDF-");
  await page.emulateMedia({ media: "screen" });

  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than a telephone");
  assert.deepEqual(await barriers(page), []);
  await page.setViewportSize({ width: 1280, height: 720 });

  await page.getByLabel("Text").fill("a");
  console.log("loaded");
  await page.getByRole("cell", { name: "arrives-later", exact: true }).waitFor({ timeout: patience });
  assert.equal(await page.getByLabel("Text").inputValue(), "a");
  assert.match(await shown(page), /^\d of 4 rows$/);
  assert.deepEqual(complaints, []);
});
console.log("all is well");
