// One page in a headless Chromium that runs already; commands come in as lines of JSON, one answer goes out for
// each. What must not happen on the page is collected, for `problems`.

"use strict";

const path = require("node:path");
const readline = require("node:readline");

const clients = path.join(__dirname, "..", "clients");
const inClients = (name) => require(require.resolve(name, { paths: [clients] }));
const { chromium } = inClients("playwright-core");
const axe = inClients("axe-core");

const PATIENCE = 15_000;
const [endpoint] = process.argv.slice(2);
const commands = {
  goto: (page, { url }) => page.goto(url),
  reload: (page) => page.reload(),
  click: (page, { role, name, exact = true }) => page.getByRole(role, { name, exact }).click(),
  toggle: (page, { selector }) => page.locator(`${selector} > summary`).click(),
  fill: (page, { label, text }) => page.getByLabel(label, { exact: true }).fill(text),
  choose: (page, { name }) => page.locator(".choices").getByText(name, { exact: true }).click(),
  press: (page, { key }) => page.keyboard.press(key),
  type: (page, { text }) => page.keyboard.type(text),
  // Waits until something that can be seen has the text.
  see: (page, { selector, text }) =>
    page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor(),
  gone: (page, { selector }) => page.locator(selector).first().waitFor({ state: "hidden" }),
  texts: (page, { selector }) => page.locator(selector).allTextContents(),
  count: (page, { selector }) => page.locator(selector).count(),
  enabled: (page, { name }) => page.getByRole("button", { name, exact: true }).isEnabled(),
  focus: (page) => page.evaluate(() => {
    const { id, ariaLabel, textContent } = document.activeElement;
    return id || ariaLabel || textContent;
  }),
  evaluate: (page, { script }) => page.evaluate(script),
  look: (page, { scheme, width, height }) =>
    page.emulateMedia({ colorScheme: scheme }).then(() => page.setViewportSize({ width, height })),
  media: (page, features) => page.emulateMedia(features),
  // What axe finds: WCAG 2.2 at A and AA, and what it takes for good practice. Of what it is unsure of, it cannot
  // see contrast in what scrolls, nor that "×" is a sign and no word.
  axe: async (page) => {
    if (!await page.evaluate("'axe' in window")) await page.evaluate(axe.source);
    return page.evaluate(async (tags) => {
      const { violations, incomplete } = await axe.run({ runOnly: { type: "tag", values: tags } });
      const unsure = incomplete.filter(({ id }) => !["color-contrast", "label-content-name-mismatch"].includes(id));
      return [...violations, ...unsure].flatMap(({ id, nodes }) => nodes.map((each) => `${id}: ${each.target} ${each.failureSummary}`));
    }, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  },
  screenshot: async (page, { file }) => { await page.screenshot({ path: file, fullPage: true }); },
  problems: (page) => seenOn.get(page),
};

const pages = new Map(); // by number
const seenOn = new WeakMap(); // page -> what went wrong there, and which hosts it asked

/** Open a page with a memory of its own: storage and cookies of others are not in it. */
async function open(browser, number) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  const seen = { problems: [], hosts: [] };
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => seen.problems.push(String(error)));
  page.on("dialog", (dialog) => { seen.problems.push("a dialog"); dialog.dismiss(); });
  page.on("request", (request) => {
    const { host } = new URL(request.url());
    if (!seen.hosts.includes(host)) seen.hosts.push(host);
  });
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) seen.problems.push(message.text());
  });
  pages.set(number, page);
  seenOn.set(page, seen);
}

async function close(number) {
  await pages.get(number).context().close();
  pages.delete(number);
}

async function carryOut(browser, { do: name, page: number, ...fields }) {
  if (name === "open") return open(browser, number);
  if (name === "close") return close(number);
  const page = pages.get(number);
  try {
    const result = await commands[name](page, fields);
    return name === "goto" || name === "reload" ? null : result;
  } catch (error) {
    const state = await page.locator("body").innerText().catch(() => "no page");
    throw new Error(`${error.message}\n--- the page:\n${state.slice(0, 4_000)}`);
  }
}

async function main() {
  const browser = await chromium.connectOverCDP(endpoint);
  const answer = (id, fields) => process.stdout.write(`${JSON.stringify({ id, ...fields })}\n`);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, ...command } = JSON.parse(line);
    carryOut(browser, command).then(
      (result) => answer(id, { result: result ?? null }),
      (error) => answer(id, { error: error.message }));
  }
  await browser.close(); // which only lets go of it
}

main();
