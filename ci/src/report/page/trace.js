// What follows from a trace, found out once when it is first shown.

const OPENS = new Set(["call", "callback", "dispatch"]);
const CLOSES = new Set(["return", "reply", "dispatched"]);

/** Frames (a call, a callback: from its first step to its last), and when what was there first. */
function prepare(trace) {
  if (trace.prepared) return trace.prepared;
  const frames = [];
  const open = trace.threads.map(() => []);
  trace.steps.forEach((step, index) => {
    const stack = open[step.thread];
    if (OPENS.has(step.kind)) {
      const frame = { thread: step.thread, first: index, last: trace.steps.length - 1, depth: step.depth, kind: step.kind, closed: false };
      frames.push(frame);
      stack.push(frame);
    } else if (CLOSES.has(step.kind) && stack.length > 0) {
      const frame = stack.pop();
      Object.assign(frame, { last: index, closed: true });
    }
  });
  trace.prepared = { frames, registrations: firsts(trace, "registrations"), bindings: firsts(trace, "bindings") };
  return trace.prepared;
}

/** The names that there ever are, each with the step at which it is first there and what is known of it for good. */
function firsts(trace, what) {
  const found = new Map();
  const seen = new Set();
  trace.steps.forEach((step, index) => {
    if (seen.has(step.state)) return;
    seen.add(step.state);
    for (const one of trace.states[step.state][what]) {
      if (!found.has(one.name)) found.set(one.name, { first: index, one });
    }
  });
  return found;
}

/** What a thread is inside of after a step, the innermost last. */
function inside(trace, thread, step) {
  const { frames } = prepare(trace);
  const its = frames.filter((frame) => frame.thread === thread && frame.first <= step
    && (frame.last > step || !frame.closed));
  return its.map((frame) => trace.steps[frame.first].text);
}

/** The first step in which two traces differ. */
function parting(one, other) {
  const most = Math.min(one.steps.length, other.steps.length);
  for (let at = 0; at < most; at += 1) {
    const [a, b] = [one.steps[at], other.steps[at]];
    if (a.thread !== b.thread || a.text !== b.text) return at;
  }
  return most;
}

const KINDS = {
  call: "call", return: "return", callback: "callback", reply: "reply", dispatch: "call of a peer",
  dispatched: "return from a peer", section: "critical section", drop: "let go", deed: "beside the registrar", mistake: "mistake",
};
