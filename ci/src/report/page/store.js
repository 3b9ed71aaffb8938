// What is looked at: the one thing here that changes. Whoever draws hears of it; the address says the same.

/** page: a number of a case, or "overview"; step from 0; passing: whether the passing execution is shown. */
function createStore(first) {
  let now = first;
  const heard = [];
  return {
    get: () => now,
    set(change) {
      const before = now;
      now = Object.freeze({ ...now, ...change });
      heard.forEach((each) => each(now, before));
    },
    listen: (each) => heard.push(each),
  };
}

/** Steps in an address count from 1, and so do cases. */
function fromAddress(hash, report) {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name, most) => {
    const value = Number.parseInt(words.get(name) ?? "", 10);
    return Number.isFinite(value) ? Math.min(Math.max(value, 1), Math.max(most, 1)) - 1 : null;
  };
  const cases = report.cases.length;
  const asked = number("case", cases);
  const isAlone = cases === 1 && report.runs.length === 0;
  const page = cases > 0 && (asked !== null || isAlone) ? asked ?? 0 : "overview";
  const shown = page === "overview" ? null : report.cases[page];
  const passing = words.get("show") === "passing" && Boolean(shown?.passing?.trace);
  const trace = passing ? shown.passing.trace : shown?.trace;
  const steps = trace?.steps.length ?? 0;
  return { page, passing, step: number("step", steps) ?? firstStep(trace) };
}

/** Where a trace is opened: at what it is about. */
const firstStep = (trace) => trace?.violation?.step ?? 0;

function toAddress({ page, step, passing }, report) {
  if (page === "overview") return "#overview";
  const words = [];
  if (report.cases.length + report.runs.length > 1) words.push(`case=${page + 1}`);
  if (passing) words.push("show=passing");
  if (report.cases[page].trace) words.push(`step=${step + 1}`);
  return `#${words.join("&")}`;
}
