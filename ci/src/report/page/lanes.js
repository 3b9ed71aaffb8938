// The threads side by side, time going down: a line for each step, of which only those in sight are drawn.

const LINE = 28;
const LANE = 208;
const SPARE = 12;

/** What changes in a critical section, without the words that all of them have. */
const brief = ({ kind, text }) => (kind === "section" ? text.replaceAll(/(registration|binding) /g, "") : text);

/** Lanes for a trace. `choose` is told of a step that is clicked. */
function createLanes(trace, label, choose) {
  const { frames } = prepare(trace);
  const body = h("div", { class: "lines", role: "listbox", tabindex: "0", "aria-label": label });
  const heads = trace.threads.map((name, thread) => h("div", { class: `lane-head t${thread % 7}` },
    h("span", { class: "thread-name" }, name), h("span", { class: "doing" })));
  const head = h("div", { class: "lane-heads" }, h("div", { class: "gutter" }), heads);
  const box = h("div", { class: "lanes", style: `--threads: ${trace.threads.length}` }, head, body);
  body.style.height = `${trace.steps.length * LINE}px`;
  let now = { step: -1, parting: -1 };

  body.addEventListener("click", (event) => {
    const line = event.target.closest("[data-step]");
    if (line) choose(Number(line.dataset.step));
  });
  box.addEventListener("scroll", () => draw());

  /** Lanes share the width, and are never narrower than can be read. */
  function measure() {
    const gutter = head.firstChild.offsetWidth;
    const lane = Math.max(LANE, Math.floor((box.clientWidth - gutter) / trace.threads.length));
    box.style.setProperty("--lane", `${lane}px`);
  }

  /** The lines in sight. */
  function draw() {
    const height = box.clientHeight || 600;
    const first = Math.max(0, Math.floor(box.scrollTop / LINE) - SPARE);
    const last = Math.min(trace.steps.length - 1, Math.ceil((box.scrollTop + height) / LINE) + SPARE);
    const parts = frames.filter((frame) => frame.last >= first && frame.first <= last).map(frameBox);
    for (let index = first; index <= last; index += 1) parts.push(line(index));
    // A screen reader is told of the step at hand also where that is out of sight.
    if (now.step >= 0 && (now.step < first || now.step > last)) parts.push(line(now.step));
    body.replaceChildren(...parts);
    body.setAttribute("aria-activedescendant", `step-${now.step}`);
  }

  function frameBox(frame) {
    return h("div", {
      class: `frame ${frame.kind} t${frame.thread % 7} ${frame.closed ? "" : "open"}`,
      "aria-hidden": "true",
      style: `top: ${frame.first * LINE + 2}px; height: ${(frame.last - frame.first + 1) * LINE - 4}px; `
        + `--thread: ${frame.thread}; --depth: ${frame.depth}`,
    });
  }

  function line(index) {
    const step = trace.steps[index];
    const name = trace.threads[step.thread];
    const breaks = trace.violation?.step === index ? trace.violation : null;
    const interrupted = step.interrupts === undefined ? null : trace.threads[step.interrupts];
    const marks = [
      interrupted !== null && h("span", { class: "mark preempts", title: `${interrupted} could have gone on` }, `⇄ interrupts ${interrupted}`),
      breaks && h("span", { class: "mark breaks" }, `${breaks.by_step ? "" : "then "}breaks ${breaks.rule ?? "no rule: a crash"}`),
      index === now.parting && h("span", { class: "mark parts" }, "parts here"),
    ];
    const kind = KINDS[step.kind] ?? step.kind;
    const words = [
      `${index + 1}, ${name}, ${kind}: ${step.text}`,
      interrupted !== null && `, interrupts ${interrupted}`,
      breaks && `, breaks ${breaks.rule ?? "no rule: a crash"}`,
    ].filter(Boolean).join("");
    return h("div", {
      class: ["line", step.kind, index === now.step && "now", index > now.step && "to-come", breaks && "breaking",
        interrupted !== null && "preempting"].filter(Boolean).join(" "),
      id: `step-${index}`, role: "option", "aria-selected": String(index === now.step),
      "aria-setsize": trace.steps.length, "aria-posinset": index + 1, "aria-label": words,
      "data-step": index, style: `top: ${index * LINE}px; --thread: ${step.thread}; --depth: ${step.depth}`,
    },
    h("span", { class: "gutter" }, String(index + 1)),
    h("span", { class: `cell t${step.thread % 7}` }, h("span", { class: "what", title: step.text }, brief(step)), marks));
  }

  /** Scrolls only as far as needed for a step to be in sight, with some room around it. */
  function reveal(step) {
    const top = step * LINE;
    const visible = Math.max(LINE * 3, box.clientHeight - head.offsetHeight);
    const room = Math.min(3 * LINE, visible / 4);
    if (top < box.scrollTop + room) box.scrollTop = Math.max(0, top - room);
    else if (top + LINE > box.scrollTop + visible - room) box.scrollTop = top + LINE - visible + room;
    const thread = trace.steps[step].thread;
    const lane = heads[thread];
    const left = lane.offsetLeft - head.firstChild.offsetWidth;
    if (left < box.scrollLeft || lane.offsetLeft + lane.offsetWidth > box.scrollLeft + box.clientWidth) box.scrollLeft = left;
  }

  return {
    element: box,
    show(step, partingAt) {
      now = { step, parting: partingAt };
      const { waits } = trace.states[trace.steps[step].state];
      heads.forEach((lane, thread) => {
        const wait = waits.find((one) => one.thread === thread);
        const within = inside(trace, thread, step);
        const doing = wait ? `waits for ${wait.what}` : within.length > 0 ? `in ${within.at(-1)}` : "";
        lane.classList.toggle("waiting", Boolean(wait));
        lane.classList.toggle("acting", trace.steps[step].thread === thread);
        lane.lastChild.textContent = doing;
        lane.lastChild.title = doing;
      });
      measure();
      reveal(step);
      draw();
    },
  };
}
