// What runs have printed: verdicts, coverage, findings, bugs, and the trend over the files.

function overviewPage(report, main) {
  main.replaceChildren(
    h("h1", {}, "Overview"),
    ...[caseList(report), trend(report.runs), ...report.runs.map((run) => runSection(report, run))].filter(Boolean),
  );
  return () => {};
}

function caseList(report) {
  if (report.cases.length === 0) return null;
  const rows = report.cases.map((it, index) => [
    h("a", { href: toAddress({ page: index, step: firstStep(it.trace), passing: false }, report) }, it.file),
    it.broken ?? it.rule ?? "–", it.engine ?? "–", badge(it.tone, it.verdict)]);
  return h("section", {}, h("h2", {}, "Cases"), table(plural(report.cases.length, "case"), ["case", "rule", "found by", "today"], rows));
}

function runSection(report, run) {
  const parts = [
    run.check && checkSummary(run.check), run.results.length > 0 && results(report, run),
    run.results.length > 0 && heat(report, run), run.coverage.length > 0 && coverage(report, run),
    run.proof && proof(run.proof), run.fuzz && fuzz(run.fuzz),
    findings(report, run), run.bugs.length > 0 && bugs(run), run.cases.length > 0 && listedCases(run),
  ].filter(Boolean);
  return h("section", { class: "run" }, h("h2", {}, run.file),
    !run.is_whole && h("p", { class: "why" }, "The last line of the run is not there: it was cut short, or is not over."),
    run.unread > 0 && h("p", { class: "why" }, `${plural(run.unread, "line")} of other kinds, or of another version, not shown.`),
    parts);
}

/** Figures in a row: name and value. */
const figures = (all) => h("dl", { class: "figures" }, all.filter(Boolean).map(([name, value, tone]) =>
  h("div", { class: tone }, h("dt", {}, name), h("dd", {}, value))));

const bad = (number) => (number > 0 ? "violated" : null);

const checkSummary = (it) => figures([
  ["scenarios", count(it.scenarios)], ["runs", count(it.runs)], ["hold", count(it.holds), "holds"],
  ["violated", count(it.violated), bad(it.violated)], ["incomplete", count(it.incomplete)],
  ["harness errors", count(it["harness-errors"]), bad(it["harness-errors"])], ["time", time(it.seconds)], ["seed", String(it.seed)]]);

/** A verdict with its extent, and its colour. */
function verdict(it) {
  const tones = { holds: "holds", violated: "violated", incomplete: "open", "harness-error": "failed" };
  const extent = it.verdict === "holds" ? `, ${it.extent}${it.how ? ` (${it.how})` : ""}` : it.rule ? ` ${it.rule}` : it.how ? ` (${it.how})` : "";
  return badge(tones[it.verdict] ?? "failed", it.verdict.replace("-", " ") + extent);
}

function results(report, run) {
  const bad = (it) => it.verdict !== "holds";
  const sorted = [...run.results].sort((one, other) => Number(bad(other)) - Number(bad(one)));
  const rows = sorted.map((it) => [it.scenario, it.engine, verdict(it), count(it.executions),
    it.states === null ? "" : count(it.states), time(it.seconds), caseLink(report, it.case)]);
  const certified = run.results.filter((it) => it.certificate);
  return h("section", {}, h("h3", {}, "Verdicts"), byEngine(run.results),
    h("details", { open: rows.length <= 40 }, h("summary", {}, plural(rows.length, "run")),
      table("Runs, what does not hold first", ["scenario", "engine", "verdict", "executions", "states", "time", "case"], rows, [3, 4, 5])),
    certified.length > 0 && h("details", {}, h("summary", {}, `What the verdicts rest on: ${plural(certified.length, "certificate")}`),
      h("ul", { class: "certificates" }, certified.map((it) => h("li", {}, h("b", {}, `${it.scenario}, ${it.engine}: `), it.certificate)))));
}

function byEngine(all) {
  const engines = [...new Set(all.map((it) => it.engine))];
  const rows = engines.map((engine) => {
    const its = all.filter((it) => it.engine === engine);
    const of = (extent) => count(its.filter((it) => it.verdict === "holds" && it.extent === extent).length);
    const not = its.filter((it) => it.verdict === "violated").length;
    return [engine, of("complete"), of("bounded"), of("sampled"), not > 0 ? badge("violated", count(not)) : "0",
      count(its.filter((it) => it.verdict === "incomplete").length),
      count(its.reduce((sum, it) => sum + it.executions, 0)), time(its.reduce((sum, it) => sum + it.seconds, 0))];
  });
  return table("By engine", ["engine", "complete", "bounded", "sampled", "violated", "incomplete", "executions", "time"], rows, [1, 2, 3, 4, 5, 6, 7]);
}

/** How often each rule could have failed in each scenario, over all engines: how dark, by orders of magnitude. */
function heat(report, run) {
  const byScenario = new Map();
  for (const it of run.results) {
    const counts = byScenario.get(it.scenario) ?? new Map();
    for (const one of it.exercised ?? []) counts.set(one.rule, (counts.get(one.rule) ?? 0) + one.exercised);
    byScenario.set(it.scenario, counts);
  }
  if ([...byScenario.values()].every((counts) => counts.size === 0)) return null;
  const cell = (number) => h("td", { class: "heat", style: `--heat: ${number > 0 ? Math.min(1 + Math.floor(Math.log10(number)), 6) : 0}`, title: count(number) },
    h("span", {}, number > 0 ? short(number) : "·"));
  return h("section", {}, h("h3", {}, "Coverage by rule and scenario"),
    h("p", { class: "note" }, "How often a rule could have failed, over all engines; a dot where it never could."),
    h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Coverage by rule and scenario" },
      h("table", { class: "heats" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "scenario"), report.rules.map((rule) =>
          h("th", { scope: "col", title: rule.title }, rule.rule)))),
        h("tbody", {}, [...byScenario].map(([scenario, counts]) => h("tr", {}, h("th", { scope: "row" }, scenario),
          report.rules.map((rule) => cell(counts.get(rule.rule) ?? 0))))))));
}

/** `12`, `4k`, `3M`. */
function short(number) {
  if (number < 1000) return String(number);
  if (number < 1e6) return `${Math.floor(number / 1000)}k`;
  return number < 1e9 ? `${Math.floor(number / 1e6)}M` : `${Math.floor(number / 1e9)}G`;
}

function coverage(report, run) {
  const most = Math.max(1, ...run.coverage.map((one) => one.exercised));
  const share = (number) => (number > 0 ? 100 * Math.log10(number + 1) / Math.log10(most + 1) : 0);
  const rows = run.coverage.map((one) => {
    const rule = report.rules.find((other) => other.rule === one.rule);
    return [`${one.rule} ${rule?.title ?? ""}`, one.exercised > 0 ? count(one.exercised) : badge("open", "never"), bar(share(one.exercised))];
  });
  return h("details", { open: true }, h("summary", {}, "Coverage by rule"), table("How often each rule could have failed (bars: logarithmic)", ["rule", "exercised", "how often"], rows, [1]));
}

const bar = (percent) => h("span", { class: "bar", "aria-hidden": "true" }, h("span", { style: `width: ${percent.toFixed(1)}%` }));

const proof = (it) => h("section", {}, h("h3", {}, `Every program of size ${it.size}, share ${it.shard}`), verdict({ ...it, extent: "complete" }),
  figures([["programs", `${count(it.programs)} of ${count(it["programs-in-share"])}`], ["violated", count(it.violated), bad(it.violated)],
    ["cut short", count(it.incomplete)], ["states", count(it.states)], ["transitions", count(it.transitions)],
    ["time", time(it.seconds)], ["workers", count(it.workers)], ["engine", it.engine]]),
  h("p", { class: "note" }, it.bounds), it.certificate && h("p", { class: "certificates" }, it.certificate), h("p", { class: "note" }, `version ${it.version}`));

const fuzz = (it) => h("section", {}, h("h3", {}, `Generated scenarios, share ${it.shard}`),
  figures([["scenarios", count(it.scenarios)], ["findings", count(it.findings), bad(it.findings)], ["exhausted", count(it.exhausted)],
    ["states", count(it.states)], ["sampled", count(it.sampled)], ["executions", count(it.executions)], ["time", time(it.seconds)], ["seed", String(it.seed)]]),
  h("p", { class: "note" }, `generator ${it.version}`));

/** All that was found, by rule. */
function findings(report, run) {
  const violated = run.results.filter((it) => it.verdict === "violated");
  const all = [
    ...violated.map((it) => ({ ...it, by: `${it.scenario} under ${it.engine}` })),
    ...run.broken.map((it) => ({ ...it, by: `program ${count(it.program)}` })),
    ...run.findings.map((it) => ({ ...it, by: `seed ${it.seed}` })),
  ];
  if (all.length === 0) return null;
  const rules = [...report.rules.map((rule) => rule.rule), null].filter((rule) => all.some((it) => it.rule === rule));
  return h("section", {}, h("h3", {}, "Findings by rule"), rules.map((name) => {
    const rule = report.rules.find((one) => one.rule === name);
    const its = all.filter((it) => it.rule === name);
    return h("details", { open: all.length <= 10 },
      h("summary", {}, rule ? `${rule.rule} ${rule.title}` : "crashes, which no rule names", ` (${count(its.length)})`),
      rule && h("blockquote", {}, rule.text),
      h("ul", { class: "findings" }, its.map((it) => h("li", {}, h("b", {}, it.by), " ", caseLink(report, it.case), h("pre", { class: "message" }, it.message)))));
  }));
}

/** A link to a case, if it is on this page. */
function caseLink(report, file) {
  if (!file) return "";
  const index = report.cases.findIndex((it) => it.file === file);
  return index < 0 ? file : h("a", { href: toAddress({ page: index, step: firstStep(report.cases[index].trace), passing: false }, report) }, file);
}

/** Which engine finds which bug, after how much. */
function bugs(run) {
  const engines = [...new Set(run.bugs.map((it) => it.engine))];
  const names = [...new Set(run.bugs.map((it) => it.name))];
  const found = (it) => {
    const words = `${it.rule ?? "crash"}, ${plural(it.executions, "execution")}${it.preemptions === null ? "" : `, ${plural(it.preemptions, "preemption")}`}`;
    return h("span", {}, badge(it.rule === it.expected ? "holds" : "open", words), h("span", { class: "note" }, ` ${time(it.seconds)}, ${it.scenarios} of ${it.tried}`));
  };
  const rows = names.map((name) => {
    const its = run.bugs.filter((it) => it.name === name);
    return [name, its[0].expected, its[0].where, ...engines.map((engine) => {
      const it = its.find((one) => one.engine === engine);
      return it ? (it.found ? found(it) : badge("open", "not found")) : "–";
    })];
  });
  const totals = engines.map((engine) => {
    const its = run.bugs.filter((it) => it.engine === engine);
    return [engine, count(its.filter((it) => it.found).length), count(its.filter((it) => it.found && it.rule === it.expected).length), count(its.length),
      count(Math.max(0, ...its.filter((it) => it.found).map((it) => it.executions)))];
  });
  const flagged = run.twins.filter((it) => it.flagged);
  return h("section", {}, h("h3", {}, "Planted bugs"),
    table("What each engine finds", ["engine", "found", "under their rule", "of", "most executions"], totals, [1, 2, 3, 4]),
    run.twins.length > 0 && h("p", {}, flagged.length === 0
      ? badge("holds", `none of ${plural(run.twins.length, "look")} at correct twins was flagged`)
      : badge("violated", `flagged twins: ${flagged.map((it) => `${it.name} (${it.engine})`).join(", ")}`)),
    h("details", { open: rows.length <= 30 }, h("summary", {}, plural(names.length, "bug")),
      table("Bugs, the rule that each breaks, and by how much it is found", ["bug", "rule", "where", ...engines], rows)));
}

const listedCases = (run) => h("section", {}, h("h3", {}, "Cases, as they were listed"), table(plural(run.cases.length, "case"), ["case", "rule", "as expected", "came to"],
  run.cases.map((it) => [it.case, it.rule ?? "–", it.expected ? badge("holds", "yes") : badge("violated", "no"), it.verdict.replaceAll("-", " ")])));

/** The runs next to each other, in the order of their names. */
function trend(runs) {
  if (runs.length < 2) return null;
  const facts = runs.map((run) => {
    const seconds = run.check?.seconds ?? run.proof?.seconds ?? run.fuzz?.seconds ?? run.results.reduce((sum, it) => sum + it.seconds, 0);
    const states = run.proof?.states ?? run.fuzz?.states ?? run.results.reduce((sum, it) => sum + (it.states ?? 0), 0);
    const found = run.results.filter((it) => it.verdict === "violated").length + run.broken.length + run.findings.length;
    const open = run.results.filter((it) => it.verdict === "incomplete").length + (run.proof?.incomplete ?? 0);
    return { file: run.file, seconds, states, found, open, bugs: run.bugs.filter((it) => it.found).length, all: run.bugs.length };
  });
  const most = (of) => Math.max(1e-9, ...facts.map(of));
  const seconds = most((it) => it.seconds);
  const states = most((it) => it.states);
  const withBar = (text, share) => h("span", { class: "with-bar" }, h("span", {}, text), bar(100 * share));
  return h("section", {}, h("h2", {}, "Trend"), table("The runs by the names of their files",
    ["run", "findings", "incomplete", "states", "time", "bugs found"],
    facts.map((it) => [it.file, it.found > 0 ? badge("violated", count(it.found)) : "0", count(it.open),
      withBar(count(it.states), it.states / states), withBar(time(it.seconds), it.seconds / seconds), it.all > 0 ? `${count(it.bugs)} of ${count(it.all)}` : "–"]), [1, 2]));
}
