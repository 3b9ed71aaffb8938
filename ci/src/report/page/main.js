// Puts it together: data, pages, keys, theme, address.

const report = JSON.parse(document.getElementById("data").textContent);
const store = createStore(fromAddress(location.hash, report));
const main = document.getElementById("main");
let draw = null;

function show(now, before) {
  if (!draw || now.page !== before?.page) {
    draw = now.page === "overview" ? overviewPage(report, main) : casePage(report, now.page, store, main);
    navigation(now);
    document.title = now.page === "overview" ? "nmr report" : `${report.cases[now.page].scenario ?? report.cases[now.page].file} – nmr report`;
  }
  draw(now);
  const address = toAddress(now, report);
  if (location.hash !== address) history.replaceState(null, "", address);
}

/** The pages, if there are several. */
function navigation(now) {
  const pages = document.getElementById("pages");
  const several = report.cases.length + report.runs.length > 1;
  const to = (page, text) => h("a", {
    href: page === "overview" ? "#overview" : toAddress({ page, step: firstStep(report.cases[page].trace), passing: false }, report),
    "aria-current": now.page === page ? "page" : null,
  }, text);
  pages.hidden = !several;
  if (several) pages.replaceChildren(to("overview", "Overview"), ...report.cases.map((it, index) => to(index, it.scenario ?? it.file)));
}

const KEYS = {
  ArrowLeft: (step) => step - 1, ArrowUp: (step) => step - 1, ArrowRight: (step) => step + 1, ArrowDown: (step) => step + 1,
  PageUp: (step) => step - 10, PageDown: (step) => step + 10, Home: () => 0, End: (_, last) => last,
  v: (step, _, trace) => trace.violation?.step ?? step,
};

document.addEventListener("keydown", (event) => {
  const { page, step, passing } = store.get();
  const shown = page === "overview" ? null : report.cases[page];
  const trace = passing ? shown?.passing.trace : shown?.trace;
  const key = KEYS[event.key];
  const isTheirs = event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.("select, .scroll, .registrar, .picture, details");
  if (!trace || !key || isTheirs) return;
  event.preventDefault();
  const last = trace.steps.length - 1;
  store.set({ step: Math.min(Math.max(key(step, last, trace), 0), last) });
});

window.addEventListener("hashchange", () => {
  if (location.hash !== toAddress(store.get(), report)) store.set(fromAddress(location.hash, report));
});

document.querySelector("[data-skip]").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

/** The theme is the system's until somebody chooses. A page that is opened from a file may not be allowed to remember. */
function theme() {
  const select = document.getElementById("theme");
  const set = (name) => { document.documentElement.dataset.theme = name; };
  const kept = attempt(() => localStorage.getItem("nmr-theme")) ?? "auto";
  select.value = ["light", "dark"].includes(kept) ? kept : "auto";
  set(select.value);
  select.addEventListener("change", () => {
    set(select.value);
    attempt(() => localStorage.setItem("nmr-theme", select.value));
  });
}

function attempt(what) {
  try {
    return what();
  } catch {
    return null;
  }
}

theme();
store.listen(show);
show(store.get(), null);
window.addEventListener("resize", () => draw(store.get()));
