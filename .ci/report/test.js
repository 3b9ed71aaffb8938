// The page in a browser: see `run`, which makes the pages and calls this.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const DESK = { width: 1280, height: 900 };
const HAND = { width: 390, height: 844 };
const LONG = 10_000;

const file = (name) => join(process.env.PAGES, name);
let profile;
let browser;

before(async () => {
  profile = await mkdtemp(join(tmpdir(), "nmr-report-"));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM,
    headless: true,
    bypassCSP: true, // For axe, which is put into the page.
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
});

/** Opens a page; whatever goes wrong in it, and whatever it asks the network for, fails the test at its end. */
async function opened(name, { hash = "", viewport = DESK, scheme = "light" } = {}, body) {
  const page = await browser.newPage();
  const wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => /^https?:/.test(request.url()) && wrong.push(`asked for ${request.url()}`));
  try {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(pathToFileURL(name).href + hash);
    await body(page);
    assert.deepEqual(wrong, []);
  } finally {
    await page.close();
  }
}

const place = (page) => page.locator(".place").textContent();
const address = (page) => page.evaluate(() => location.hash);
/** The data inside of a page. */
async function data(name) {
  const text = await readFile(name, "utf8");
  return JSON.parse(text.match(/id="data">(.*?)<\/script>/s)[1]);
}

test("it opens at the violation and says which rule breaks, in the contract's words", () =>
  opened(file("case.html"), {}, async (page) => {
    const [one] = (await data(file("case.html"))).cases;
    const { step, rule } = one.trace.violation;
    assert.equal(await place(page), `${step + 1} / ${one.trace.steps.length}`);
    assert.equal(rule, "C9");
    assert.match(await page.locator(".rule").innerText(), /C9 cleanup last[^]*each side's cleanup runs exactly once/);
    assert.match(await page.locator(".line.breaking").innerText(), /breaks C9/);
    assert.match(await page.locator(".present").innerText(), /this breaks C9/);
  }));

test("keys step through it, and the address names the step", () =>
  opened(file("case.html"), { hash: "#step=5" }, async (page) => {
    const steps = (await data(file("case.html"))).cases[0].trace.steps.length;
    for (const [key, step] of [["ArrowRight", 6], ["ArrowLeft", 5], ["ArrowDown", 6], ["ArrowUp", 5], ["PageDown", 15], ["End", steps],
      ["ArrowRight", steps], ["Home", 1], ["ArrowLeft", 1], ["v", steps]]) {
      await page.keyboard.press(key);
      assert.equal(await place(page), `${step} / ${steps}`, key);
      assert.equal(await address(page), `#step=${step}`, key);
    }
  }));

test("the slider, the buttons and a line step as well", () =>
  opened(file("case.html"), { hash: "#step=3" }, async (page) => {
    await page.getByRole("button", { name: "Next step" }).click();
    assert.match(await place(page), /^4 \//);
    await page.getByRole("slider", { name: "Step" }).fill("7");
    assert.match(await place(page), /^7 \//);
    await page.locator("#step-1").click();
    assert.match(await place(page), /^2 \//);
    await page.getByRole("button", { name: "Go to the violation" }).click();
    assert.match(await page.locator(".present").innerText(), /breaks C9/);
  }));

test("a link to a step opens there, also while the page is open", () =>
  opened(file("case.html"), { hash: "#step=11" }, async (page) => {
    assert.match(await place(page), /^11 \//);
    await page.evaluate(() => { location.hash = "#step=4"; });
    await page.waitForFunction(() => document.querySelector(".place").textContent.startsWith("4 /"));
    for (const [hash, expected] of [["#step=99999", /^36 \/ 36/], ["#step=none", /^36 \//], ["#step=-5", /^1 \//]]) {
      await page.goto("about:blank");
      await page.goto(pathToFileURL(file("case.html")).href + hash);
      assert.match(await place(page), expected, hash);
    }
  }));

test("the registrar is as its tables were: each state of the data, step by step", () =>
  opened(file("case.html"), { hash: "#step=1" }, async (page) => {
    const { trace } = (await data(file("case.html"))).cases[0];
    for (const [index, step] of trace.steps.entries()) {
      const expected = trace.states[step.state].registrations.map((one) => `registration ${one.name}: ${one.stage}`);
      const lit = await page.locator(".machine[aria-label^='registration']").evaluateAll((all) => all
        .map((one) => `${one.getAttribute("aria-label")}: ${one.querySelector("[aria-current]").textContent}`)
        .filter((text) => !text.endsWith(": gone")));
      assert.deepEqual(lit.toSorted(), expected.toSorted(), `step ${index + 1}`);
      await page.keyboard.press("ArrowRight");
    }
  }));

test("the nearest execution that passes is beside it, from where they part", () =>
  opened(file("case.html"), {}, async (page) => {
    assert.match(await page.locator(".comparison").innerText(), /The same up to step 15\. Then here leaving: deregister p; in the nearest that passes calling: c calls p/);
    await page.getByRole("button", { name: "The nearest that passes" }).click();
    assert.match(await page.locator(".line.now").innerText(), /c calls p/);
    assert.equal(await page.locator(".breaking").count(), 0);
    assert.match(await address(page), /show=passing&step=16/);
    await page.reload();
    assert.equal(await page.getByRole("button", { name: "The nearest that passes" }).getAttribute("aria-pressed"), "true");
  }));

test("a folder has an overview and a page for each case", () =>
  opened(file("folder.html"), {}, async (page) => {
    const text = await page.locator("main").innerText();
    for (const words of ["check.jsonl", "By engine", "Coverage by rule and scenario", "both-deregister"]) assert.ok(text.includes(words), words);
    await page.getByRole("link", { name: "unguarded-dispatch.toml" }).click();
    await page.waitForSelector(".player");
    assert.match(await address(page), /^#case=1&step=36$/);
    await page.getByRole("link", { name: "Overview" }).click();
    await page.waitForSelector(".figures");
  }));

test("the theme follows the system until one is chosen", () =>
  opened(file("case.html"), { scheme: "dark" }, async (page) => {
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await back(), "rgb(20, 23, 28)");
    await page.getByLabel("Theme").selectOption("light");
    assert.equal(await back(), "rgb(255, 255, 255)");
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByLabel("Theme").selectOption("dark");
    assert.equal(await back(), "rgb(20, 23, 28)");
  }));

for (const [name, hash] of [["case.html", ""], ["case.html", "#show=passing&step=20"], ["folder.html", "#overview"]]) {
  for (const scheme of ["light", "dark"]) {
    for (const viewport of [DESK, HAND]) {
      test(`axe finds nothing in ${name}${hash}, ${scheme}, ${viewport.width} pixels`, () =>
        opened(file(name), { hash, scheme, viewport }, async (page) => {
          await page.addScriptTag({ path: AXE });
          const found = await page.evaluate(() => axe.run());
          const told = found.violations.map((it) => `${it.impact} ${it.id}: ${it.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(" | ")}`);
          assert.deepEqual(told, []);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
        }));
    }
  }
}

test(`a trace of ${LONG} steps is stepped through in less than 100 ms a step`, async () => {
  const name = file("long.html");
  const text = await readFile(file("case.html"), "utf8");
  const all = await data(file("case.html"));
  const { trace } = all.cases[0];
  // The same steps again and again; only the last one breaks the rule.
  const { steps } = trace;
  trace.steps = Array.from({ length: LONG }, (_, index) => steps[index % (steps.length - 1)]);
  trace.violation.step = LONG - 1;
  const json = JSON.stringify(all).replaceAll("<", "\\u003c");
  await writeFile(name, text.replace(/(id="data">).*?(<\/script>)/s, (_, open, close) => open + json + close));
  await opened(name, { hash: "#step=1" }, async (page) => {
    // Until the frame is painted, for keys in both directions and jumps.
    const took = await page.evaluate(async () => {
      const frame = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
      const keys = [...Array(40).fill("ArrowRight"), "End", ...Array(40).fill("ArrowLeft"), "Home", "PageDown", "v"];
      const times = [];
      for (const key of keys) {
        const begun = performance.now();
        document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        document.querySelector(".lines").getBoundingClientRect();
        times.push(performance.now() - begun);
        await frame();
      }
      return times.toSorted((one, other) => one - other);
    });
    assert.match(await place(page), /^10000 \/ 10000$/);
    const median = took[Math.floor(took.length / 2)];
    console.log(`median ${median.toFixed(1)} ms, at most ${took.at(-1).toFixed(1)} ms a step`);
    assert.ok(median < 100, `the median step takes ${median} ms`);
    const lines = await page.locator(".line").count();
    assert.ok(lines < 100, `${lines} lines are drawn`);
  });
});
