// A case: what broke, its execution step by step, and one near it in which nothing breaks.

/** Draws a case into `main`; answers what draws a step of it. */
function casePage(report, number, store, main) {
  const it = report.cases[number];
  main.replaceChildren(...title(report, it), ...(it.trace ? [] : withoutSteps(it)));
  if (!it.trace) return () => {};
  const stage = h("div", {});
  main.append(stage);
  let shown = null;
  return (now) => {
    if (shown?.passing !== now.passing) {
      shown = { passing: now.passing, ...player(it, now.passing, store) };
      stage.replaceChildren(shown.element);
    }
    shown.show(now.step);
  };
}

function title(report, it) {
  const rule = report.rules.find((one) => one.rule === (it.broken ?? it.rule));
  return [
    h("h1", {}, it.scenario ?? it.file, " ", badge(it.tone, it.verdict)),
    it.summary && h("p", { class: "summary" }, it.summary),
    h("p", { class: "note" }, [it.file, it.engine && `found by ${it.engine}`].filter(Boolean).join(" · ")),
    rule && h("section", { class: `rule ${it.tone}` },
      h("h2", {}, `${rule.rule} ${rule.title}`, h("span", { class: "note" }, it.message ? " is broken" : " was broken when it was saved")),
      h("blockquote", {}, rule.text),
      (it.message || it.saved) && h("pre", { class: "message" }, it.message || it.saved)),
    !rule && it.message && h("pre", { class: "message" }, it.message),
  ].filter(Boolean);
}

const withoutSteps = (it) => [
  it.without && h("p", { class: "why" }, it.without),
  it.text && h("pre", { class: "picture", tabindex: "0" }, it.text),
].filter(Boolean);

/** What steps through one of a case's two executions. */
function player(it, passing, store) {
  const trace = passing ? it.passing.trace : it.trace;
  const other = passing ? it.trace : it.passing?.trace;
  const partsAt = other ? parting(trace, other) : -1;
  const last = trace.steps.length - 1;
  const go = (step) => store.set({ step: Math.min(Math.max(step, 0), last) });
  const button = (text, label, to, key) => h("button", {
    type: "button", "aria-label": label, "aria-keyshortcuts": key, title: `${label} (${key})`, onclick: () => go(to(store.get().step)),
  }, text);
  const slider = h("input", {
    type: "range", min: 1, max: last + 1, id: "slider", "aria-label": "Step",
    oninput: (event) => go(Number(event.target.value) - 1),
  });
  const place = h("output", { for: "slider", class: "place" });
  const now = h("div", { class: "present", role: "status" });
  const panel = h("aside", { class: "registrar", "aria-label": "What the registrar held", tabindex: "0" });
  const lanes = createLanes(trace, passing ? "Steps of the execution in which nothing breaks" : "Steps of the execution", go);
  const schedule = h("ol", {});
  const element = h("div", { class: "player" },
    choice(it, passing, store),
    comparison(it, trace, other, passing, partsAt, go),
    trace.misfits.length > 0 && h("p", { class: "why" },
      `The code is not what it was when the case was saved; the schedule was aligned again: ${trace.misfits.join("; ")}.`),
    h("div", { class: "tools", role: "group", "aria-label": "Step through it" },
      button("|◀", "First step", () => 0, "Home"),
      button("◀", "Step back", (step) => step - 1, "ArrowLeft"),
      button("▶", "Next step", (step) => step + 1, "ArrowRight"),
      button("▶|", "Last step", () => last, "End"),
      slider, place,
      trace.violation && h("button", {
        type: "button", class: "violated", "aria-keyshortcuts": "v", onclick: () => go(trace.violation.step),
      }, "Go to the violation"),
      h("button", { type: "button", id: "copy", onclick: (event) => copyAddress(event.currentTarget) }, "Copy link to this step")),
    now,
    h("div", { class: "columns" }, lanes.element, panel),
    h("details", {}, h("summary", {}, `The schedule: ${plural(trace.schedule.length, "step")}`),
      h("p", { class: "note" }, "Where several threads could go on, or one in several ways: who did, before which operation."),
      schedule),
    h("p", { class: "note" }, "What is said of the registrar was read from its tables at the end of each critical section, while they were locked. "
      + "Who waits is concluded from the tables’ waiters and the open calls."));
  schedule.append(...trace.schedule.map((step) => h("li", {}, h("code", {}, step))));
  let done = 0;
  return {
    element,
    show(step) {
      slider.value = step + 1;
      slider.setAttribute("aria-valuetext", `step ${step + 1} of ${last + 1}`);
      place.textContent = `${step + 1} / ${last + 1}`;
      now.replaceChildren(...present(trace, step));
      panel.replaceChildren(...registrarPanel(trace, step).filter(Boolean));
      lanes.show(step, partsAt);
      const { scheduled } = trace.steps[step];
      for (; done < scheduled; done += 1) schedule.children[done]?.classList.add("done");
      for (; done > scheduled; done -= 1) schedule.children[done - 1]?.classList.remove("done");
    },
  };
}

/** The step in words. */
function present(trace, at) {
  const step = trace.steps[at];
  const thread = trace.threads[step.thread];
  const breaks = trace.violation?.step === at ? trace.violation : null;
  return [
    h("b", {}, thread), ` · ${KINDS[step.kind] ?? step.kind}: `, h("span", { class: "what" }, step.text),
    step.interrupts !== undefined && ` · interrupts ${trace.threads[step.interrupts]}, which could have gone on`,
    breaks && h("strong", { class: "breaks" }, breaks.by_step
      ? ` · this breaks ${breaks.rule ?? "no rule: it is a crash"}`
      : ` · the last step: what follows, or does not, breaks ${breaks.rule ?? "no rule: it is a crash"}`),
  ].filter(Boolean);
}

/** Which of the two executions is shown. */
function choice(it, passing, store) {
  if (!it.passing?.trace) {
    return it.passing && h("p", { class: "note" }, `Of ${plural(it.passing.tried, "execution")} near it none passes.`);
  }
  const one = (isPassing, text) => h("button", {
    type: "button", "aria-pressed": String(passing === isPassing),
    onclick: () => store.set({ passing: isPassing, step: stepFor(it, isPassing) }),
  }, text);
  return h("div", { class: "choice", role: "group", "aria-label": "Execution" },
    one(false, "The violating execution"), one(true, "The nearest that passes"));
}

/** The other execution is opened where the two part. */
function stepFor(it, passing) {
  const [trace, other] = passing ? [it.passing.trace, it.trace] : [it.trace, it.passing.trace];
  return Math.min(parting(trace, other), trace.steps.length - 1);
}

function comparison(it, trace, other, passing, partsAt, go) {
  if (!other) return null;
  const words = (of) => {
    const step = of.steps[partsAt];
    return step ? [h("b", {}, of.threads[step.thread]), ": ", h("span", { class: "what" }, step.text)] : "it is over";
  };
  return h("p", { class: "comparison" },
    partsAt === 0 ? "They differ from the first step on: here " : `The same up to step ${partsAt}. Then here `,
    words(trace), passing ? "; in the violating one " : "; in the nearest that passes ", words(other), ". ",
    h("button", { type: "button", class: "plain", onclick: () => go(Math.min(partsAt, trace.steps.length - 1)) }, "Show that step"));
}

async function copyAddress(button) {
  const before = button.textContent;
  let told = "Copied";
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    told = "Copy it from the address bar";
  }
  button.textContent = told;
  setTimeout(() => { button.textContent = before; }, 2000);
}
