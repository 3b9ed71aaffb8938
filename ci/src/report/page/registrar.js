// What the registrar held after a step, as its tables were.

const REGISTRATION = ["registering", "open", "closing", "closed", "gone"];
const ATTACHING = ["offered", "attaching", "accepted", "refused"];
const BINDING = ["proposed", "attaching", "attached", "detaching", "cleaning up", "gone"];
const DETACHING = ["to be asked", "asked", "completed early", "pending", "complete"];

/** States in a row, the present one lit. */
function machine(label, states, present) {
  return h("ol", { class: "machine", "aria-label": label }, states.map((state) =>
    h("li", { class: state === present ? "lit" : null, "aria-current": state === present ? "true" : null }, state)));
}

function registrarPanel(trace, step) {
  const state = trace.states[trace.steps[step].state];
  const before = step > 0 ? trace.states[trace.steps[step - 1].state] : null;
  return [
    h("h2", {}, `The registrar after step ${step + 1}`),
    waiting(trace, state),
    registrations(trace, step, state, before),
    bindings(trace, step, state, before),
    lists(state),
  ];
}

function waiting(trace, { waits }) {
  if (waits.length === 0) return null;
  return h("section", { class: "waits" }, h("h3", {}, "Who waits for whom"),
    h("ul", {}, waits.map((one) => h("li", {},
      h("b", {}, trace.threads[one.thread]), ` waits for ${one.what}`,
      one.from !== null && [", which is with ", h("b", {}, trace.threads[one.from])]))));
}

/** What there is or ever was up to this step. Whether it has just changed is seen by comparing it with the step before. */
function cards(trace, step, what, state, before, card) {
  const known = [...prepare(trace)[what].values()].filter(({ first }) => first <= step);
  return known.map(({ one }) => {
    const now = state[what].find((other) => other.name === one.name) ?? null;
    const was = before?.[what].find((other) => other.name === one.name) ?? null;
    const changed = JSON.stringify(now) !== JSON.stringify(was);
    return h("li", { class: `card${now ? "" : " over"}${changed ? " changed" : ""}` }, card(one, now),
      changed && h("span", { class: "mark" }, "changed"));
  });
}

function registrations(trace, step, state, before) {
  const all = cards(trace, step, "registrations", state, before, (one, now) => [
    h("h4", {}, one.name, h("span", { class: "note" }, ` ${one.side}`)),
    machine(`registration ${one.name}`, REGISTRATION, now?.stage ?? "gone"),
    now && h("p", { class: "facts" }, [
      now.bindings.length > 0 ? `bindings: ${now.bindings.join(", ")}` : "no bindings",
      now.offers && `offers ${now.offers} next`,
      now.teardown && `detaches ${now.teardown} next`,
      now.waiters > 0 && plural(now.waiters, "waiter"),
      now.abandoned && "nobody will wait for it",
      !now.has_module && "its module is taken out",
    ].filter(Boolean).join(" · ")),
  ]);
  return h("section", {}, h("h3", {}, "Registrations"), all.length > 0 ? h("ul", { class: "cards" }, all) : h("p", { class: "note" }, "none yet"));
}

function bindings(trace, step, state, before) {
  const all = cards(trace, step, "bindings", state, before, (one, now) => {
    const stage = now?.stage ?? "gone";
    const isAttaching = ATTACHING.includes(stage);
    return [
      h("h4", {}, one.name),
      machine(`binding ${one.name}`, BINDING, isAttaching ? "attaching" : stage),
      isAttaching && inner("client’s callback", ATTACHING, stage),
      stage === "detaching" && [one.client, one.provider].map((side, index) => inner(side, DETACHING, now.sides[index])),
      now && h("p", { class: "facts" }, [
        now.running !== null && `a callback runs on ${trace.threads[now.running]}`,
        contexts(one, now.contexts),
      ].filter(Boolean).join(" · ")),
    ];
  });
  return h("section", {}, h("h3", {}, "Bindings"), all.length > 0 ? h("ul", { class: "cards" }, all) : h("p", { class: "note" }, "none yet"));
}

const inner = (name, states, present) => h("div", { class: "inner" }, h("span", {}, name), machine(name, states, present));

function contexts(one, [client, provider]) {
  const has = [client && one.client, provider && one.provider].filter(Boolean);
  return has.length === 0 ? "holds no context" : `holds the ${has.length === 1 ? "context" : "contexts"} of ${has.join(" and ")}`;
}

function lists({ interfaces, left }) {
  const room = [
    left.registrations !== null && `room for ${plural(left.registrations, "more registration")}`,
    left.bindings !== null && `room for ${plural(left.bindings, "more binding")}`,
  ].filter(Boolean);
  const names = (all) => (all.length > 0 ? all.join(" → ") : "–");
  return h("section", {}, h("h3", {}, "Lists and limits"),
    interfaces.length === 0
      ? h("p", { class: "note" }, "no interface has an open registration")
      : h("ul", { class: "lists" }, interfaces.map((one) => h("li", {},
        h("b", {}, `interface ${one.number}`), ` clients: ${names(one.clients)}; providers: ${names(one.providers)}`))),
    h("p", { class: "facts" }, room.length > 0 ? room.join(" · ") : "no limits"));
}
