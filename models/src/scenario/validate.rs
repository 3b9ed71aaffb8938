//! Whether a scenario makes sense: names, and what an operation needs to have an end.
//!
//! It does not say whether a scenario ends: a wait for a module that nobody deregisters is refused by
//! the registrar, a pending detach that nobody completes is found as a deadlock.

use std::collections::BTreeSet;

use super::{Attach, Detach, Fault as Mistake, MAX_THREADS, Module, Scenario, Side};
use crate::op::{Noun, Op};

/// The most modules that an event can tell apart.
const MAX_MODULES: usize = 255;
/// The most events, and the most locks, that an operation can tell apart.
const MAX_NAMED: usize = 255;
/// The most operations of a thread or a callback: an execution is a few hundred steps.
const MAX_OPS: usize = 250;

impl Scenario {
    pub(super) fn validate(&self) -> Result<(), Fault> {
        let fault = |mention: &str, message: String| {
            Err(Fault {
                mention: mention.to_owned(),
                message,
            })
        };
        // Cases are saved in files of its name.
        let is_of_a_path = |it: char| it.is_whitespace() || matches!(it, '/' | '\\');
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains(is_of_a_path) {
            return fault(
                "name",
                format!(
                    "`{}` is no name of a scenario: expected one word, without slashes",
                    self.name
                ),
            );
        }
        if self.threads.len() > MAX_THREADS {
            let more = &self.threads[MAX_THREADS].name;
            return fault(
                more,
                format!("a scenario has at most {MAX_THREADS} threads, this is one more"),
            );
        }
        if let Some(more) = self.modules.get(MAX_MODULES) {
            return fault(
                &more.name,
                format!("a scenario has at most {MAX_MODULES} modules, this is one more"),
            );
        }
        for (what, names) in [("events", &self.events), ("locks", &self.locks)] {
            if let Some(more) = names.get(MAX_NAMED) {
                return fault(
                    more,
                    format!("a scenario has at most {MAX_NAMED} {what}, this is one more"),
                );
            }
        }
        if let Some(owner) = self.owner_of_more_ops_than(MAX_OPS) {
            return fault(
                owner,
                format!(
                    "`{owner}` has a list of more than {MAX_OPS} operations: expected a shorter one"
                ),
            );
        }
        let mut names = BTreeSet::new();
        let all = self.modules.iter().map(|module| &module.name);
        let all = all.chain(self.threads.iter().map(|thread| &thread.name));
        for name in all.chain(&self.events).chain(&self.locks) {
            if name.is_empty() || name.contains(char::is_whitespace) {
                return fault(
                    name,
                    format!(
                        "`{name}` is no name of a module, thread, event or lock: expected one word"
                    ),
                );
            }
            if !names.insert(name) || name == "main" {
                return fault(name, format!("`{name}` is taken: expected another name"));
            }
        }
        for module in &self.modules {
            let client_only = !matches!(
                module.attach,
                Attach::Accept | Attach::Decline | Attach::OneAtATime | Attach::Panic
            );
            if module.side == Side::Provider && client_only {
                return fault(
                    &module.name,
                    format!(
                        "`{}` is a provider: expected attach = accept, decline, one-at-a-time or panic",
                        module.name
                    ),
                );
            }
        }
        for module in &self.modules {
            for peer in &module.peers {
                let fits = |it: &Module| {
                    it.name == *peer && it.side != module.side && it.npi == module.npi
                };
                if !self.modules.iter().any(fits) {
                    let why = format!(
                        "`{peer}` is no peer of `{}`: expected a module of the other side, on its interface",
                        module.name
                    );
                    return fault(peer, why);
                }
            }
        }
        for module in self.modules.iter().filter(|it| !it.after_attach.is_empty()) {
            let attaches = !matches!(
                module.attach,
                Attach::Decline | Attach::Hollow | Attach::Panic
            );
            if module.side == Side::Provider || !attaches {
                let name = &module.name;
                return fault(
                    name,
                    format!(
                        "`{name}` does something after attaching: expected a client that attaches"
                    ),
                );
            }
        }
        for module in &self.modules {
            let complaint = match module.fault {
                Some(Mistake::UnguardedDispatch) if module.detach != Detach::Rundown => {
                    "expected a module with detach = \"rundown\", which may call its peers"
                }
                Some(Mistake::CallsInAttach) if module.side == Side::Client => {
                    "expected a provider, which is asked when there is a client to call"
                }
                Some(Mistake::LeaksContext)
                    if !matches!(
                        module.attach,
                        Attach::ChangeOfMind | Attach::PanicAfterAttach
                    ) =>
                {
                    "expected attach = \"change-of-mind\", where something can be left"
                }
                Some(_) if module.null_context => {
                    "expected no null context, for that is what it treats wrongly"
                }
                _ => continue,
            };
            let name = &module.name;
            return fault(name, format!("the fault of `{name}`: {complaint}"));
        }
        self.validate_recursion()?;
        self.validate_null_contexts()?;
        self.validate_completers()?;
        self.validate_locks()?;
        self.validate_ops()
    }

    /// Who has a list of more operations than that, if anybody has.
    fn owner_of_more_ops_than(&self, most: usize) -> Option<&str> {
        let longer = self.lists().find(|(_, ops)| ops.len() > most);
        longer.map(|(owner, _)| owner)
    }

    /// The lists of operations, and whose each is.
    fn lists(&self) -> impl Iterator<Item = (&str, &Vec<Op>)> {
        let main = [("before", &self.before), ("after", &self.after)];
        let threads = self.threads.iter();
        let threads = threads.map(|thread| (thread.name.as_str(), &thread.ops));
        let modules = self.modules.iter();
        let modules = modules.flat_map(|it| it.scripts().map(|script| (it.name.as_str(), script)));
        main.into_iter().chain(threads).chain(modules)
    }

    /// An attach callback that registers a module leads to attach callbacks of that module and of its
    /// peers: none of them may lead back to itself.
    fn validate_recursion(&self) -> Result<(), Fault> {
        let leads_to = |from: usize| {
            let module = &self.modules[from];
            let registered = module
                .in_attach
                .iter()
                .chain(&module.after_attach)
                .filter_map(|op| match op {
                    Op::Register(name) | Op::Own(name) => self.module(name),
                    _ => None,
                });
            registered.flat_map(|new| {
                let module = &self.modules[new];
                let called = self
                    .modules
                    .iter()
                    .enumerate()
                    .filter(move |&(index, other)| {
                        index == new || (other.npi == module.npi && other.side != module.side)
                    });
                called.map(|(index, _)| index)
            })
        };
        for (start, module) in self.modules.iter().enumerate() {
            let mut reached = BTreeSet::new();
            let mut next: Vec<usize> = leads_to(start).collect();
            while let Some(at) = next.pop() {
                if reached.insert(at) {
                    next.extend(leads_to(at));
                }
            }
            if reached.contains(&start) {
                return Err(Fault {
                    mention: module.name.clone(),
                    message: format!(
                        "the attach callback of `{}` registers modules whose attaching calls it again, \
                         without end: expected another place to register them",
                        module.name
                    ),
                });
            }
        }
        Ok(())
    }

    /// A cleanup callback is told nothing but its context: where that is null, only one binding can
    /// be meant.
    fn validate_null_contexts(&self) -> Result<(), Fault> {
        let registers = |name: &str| {
            let ops = self.operations();
            ops.filter(
                |(_, op)| matches!(op, Op::Register(module) | Op::Own(module) if module == name),
            )
            .count()
        };
        for module in self.modules.iter().filter(|module| module.null_context) {
            let peers = self.modules.iter();
            let peers = peers.filter(|peer| peer.npi == module.npi && peer.side != module.side);
            let peers: usize = peers.map(|peer| registers(&peer.name)).sum();
            let plain = matches!(module.attach, Attach::Accept | Attach::Decline);
            if peers > 1 || registers(&module.name) > 1 || !plain {
                return Err(Fault {
                    mention: module.name.clone(),
                    message: format!(
                        "`{}` has null contexts: expected attach = accept or decline, at most one \
                         registration of it, and one of the other side on its interface",
                        module.name
                    ),
                });
            }
        }
        Ok(())
    }

    /// A completer goes on until the others have done their waits: it must not stand in their way.
    fn validate_completers(&self) -> Result<(), Fault> {
        for thread in &self.threads {
            let Some(completer) = thread.ops.iter().find(|op| is_completer(op)) else {
                continue;
            };
            let last = thread.ops.last() == Some(completer);
            let waits = thread.ops.iter().any(is_wait);
            if !last || waits {
                return Err(Fault {
                    mention: completer.to_string(),
                    message: format!(
                        "`{completer}` goes on until the other threads' waits are done: expected it at \
                         the end of a thread that does not wait"
                    ),
                });
            }
        }
        let mut elsewhere = self
            .operations()
            .filter(|(by, op)| is_completer(op) && by.is_none_or(|by| by == 0));
        let Some((_, completer)) = elsewhere.next() else {
            return Ok(());
        };
        Err(Fault {
            mention: completer.to_string(),
            message: format!(
                "`{completer}` goes on until the threads' waits are done: expected it in a thread"
            ),
        })
    }

    /// A list of operations gives back the locks that it takes, and no others.
    fn validate_locks(&self) -> Result<(), Fault> {
        for (owner, ops) in self.lists() {
            let mut held: Vec<&String> = Vec::new();
            for op in ops {
                match op {
                    Op::Lock(lock) => held.push(lock),
                    Op::Unlock(lock) => {
                        let Some(index) = held.iter().rposition(|it| *it == lock) else {
                            return Err(Fault {
                                mention: op.to_string(),
                                message: format!(
                                    "`{op}` in a list of `{owner}` that has not taken it: expected `lock {lock}` before"
                                ),
                            });
                        };
                        held.remove(index);
                    }
                    _ => {}
                }
            }
            if let Some(lock) = held.first() {
                return Err(Fault {
                    mention: format!("lock {lock}"),
                    message: format!(
                        "`lock {lock}` in a list of `{owner}` that keeps it: expected `unlock {lock}` after it"
                    ),
                });
            }
        }
        Ok(())
    }

    /// Why an operation names nothing that there is.
    fn unknown(&self, noun: Noun) -> String {
        let (what, key, known): (_, _, Vec<&str>) = match noun {
            Noun::Module => {
                let names = self.modules.iter().map(|module| module.name.as_str());
                ("module", "", names.collect())
            }
            Noun::Event => (
                "event",
                "events",
                self.events.iter().map(String::as_str).collect(),
            ),
            Noun::Lock => (
                "lock",
                "locks",
                self.locks.iter().map(String::as_str).collect(),
            ),
        };
        match known.as_slice() {
            [] => format!("names no {what}: expected it in `{key} = [...]`, at the top"),
            known => format!("names no {what}: expected one of {}", known.join(", ")),
        }
    }

    /// Whether the module is registered through the owning API.
    fn owns(&self, name: &str) -> bool {
        self.uses(|op| matches!(op, Op::Own(module) if module == name))
    }

    fn uses(&self, is_it: impl Fn(&Op) -> bool) -> bool {
        self.operations().any(|(_, op)| is_it(op))
    }

    fn validate_ops(&self) -> Result<(), Fault> {
        for (_, op) in self.operations() {
            let text = op.to_string();
            let fault = |message: String| Fault {
                mention: text.clone(),
                message,
            };
            let (_, Some(name)) = op.parts() else {
                continue;
            };
            let Some(index) = self.index(op.noun(), name) else {
                return Err(fault(format!("`{text}` {}", self.unknown(op.noun()))));
            };
            if op.noun() != Noun::Module {
                continue;
            }
            let module = &self.modules[index];
            match op {
                Op::Dispatch(_) if module.detach != Detach::Rundown => {
                    return Err(fault(format!(
                        "`{text}`: expected a module with detach = \"rundown\", which may call its peers"
                    )));
                }
                Op::Register(_) if self.owns(name) => {
                    return Err(fault(format!(
                        "`{text}`: `{name}` is registered with `own` elsewhere: expected one of the two \
                         throughout"
                    )));
                }
                Op::Leave(_) | Op::Release(_) if !self.owns(name) => {
                    return Err(fault(format!(
                        "`{text}`: expected a module that is registered with `own {name}`"
                    )));
                }
                Op::Leave(_)
                    if self.uses(|op| matches!(op, Op::Deregister(other) if other == name)) =>
                {
                    return Err(fault(format!(
                        "`{text}` beside `deregister {name}`: nobody could tell which of the two was \
                         accepted: expected `release {name}`, or one of the two throughout"
                    )));
                }
                Op::Attach(_) if module.side == Side::Provider => {
                    return Err(fault(format!(
                        "`{text}`: expected a client, which attaches"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether it waits for a deregistration.
pub(crate) const fn is_wait<M>(op: &Op<M>) -> bool {
    matches!(op, Op::Wait(_) | Op::Leave(_) | Op::Release(_))
}

pub(super) const fn is_completer(op: &Op) -> bool {
    matches!(
        op,
        Op::Complete(_) | Op::CompleteAll | Op::CompleteAny | Op::CompleteWrong(_)
    )
}

/// What is wrong, and a piece of the text near which it is.
pub(super) struct Fault {
    pub(super) mention: String,
    pub(super) message: String,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The complaint about a scenario with these lines, after its name and summary.
    fn complaint(lines: &str) -> String {
        let text = format!("name = \"s\"\nsummary = \"s\"\n{lines}");
        let scenario = Scenario::from_toml(Path::new("s.toml"), &text);
        scenario.map_or_else(|error| error.to_string(), |_| "none".to_owned())
    }

    fn module(name: &str, side: &str, rest: &str) -> String {
        format!("[[module]]\nname = \"{name}\"\nside = \"{side}\"\n{rest}\n")
    }

    fn thread(name: &str, ops: &str) -> String {
        format!("[[thread]]\nname = \"{name}\"\nops = {ops}\n")
    }

    #[test]
    fn names_are_unique_and_none_is_the_main_threads() {
        let twice = module("c", "client", "") + &thread("c", "[]");
        assert_eq!(
            complaint(&twice),
            "s.toml:4:9: `c` is taken: expected another name"
        );
        let main = module("main", "client", "");
        assert!(complaint(&main).contains("`main` is taken"));
    }

    #[test]
    fn seven_threads_are_one_too_many() {
        let threads: String = (1..=7).map(|n| thread(&format!("t{n}"), "[]")).collect();
        let complaint = complaint(&(module("c", "client", "") + &threads));
        assert!(
            complaint.contains("at most 6 threads, this is one more"),
            "{complaint}"
        );
    }

    #[test]
    fn a_list_of_operations_is_not_longer_than_their_numbers_reach() {
        let ops = |count| format!("[{}]", vec!["\"yield\""; count].join(", "));
        let scenario = |count| module("c", "client", "") + &thread("t", &ops(count));
        assert_eq!(complaint(&scenario(250)), "none");
        assert_eq!(
            complaint(&scenario(251)),
            "s.toml:8:9: `t` has a list of more than 250 operations: expected a shorter one"
        );
        let inside = module("c", "client", &format!("in-attach = {}", ops(251)));
        assert!(complaint(&inside).contains("`c` has a list of more than 250 operations"));
    }

    #[test]
    fn events_and_locks_are_named_at_the_top() {
        let one =
            |top: &str, ops: &str| top.to_owned() + &module("c", "client", "") + &thread("t", ops);
        let lost = complaint(&one("events = [\"ready\"]\n", "[\"await reddy\"]"));
        assert!(
            lost.contains("`await reddy` names no event: expected one of ready"),
            "{lost}"
        );
        let lost = complaint(&one("", "[\"lock own\", \"unlock own\"]"));
        assert!(
            lost.contains("`lock own` names no lock: expected it in `locks = [...]`, at the top"),
            "{lost}"
        );
        // A module is no event.
        let lost = complaint(&one("", "[\"set c\"]"));
        assert!(lost.contains("`set c` names no event"), "{lost}");
        let twice = complaint(&one("events = [\"c\"]\n", "[]"));
        assert!(twice.contains("`c` is taken"), "{twice}");
    }

    #[test]
    fn events_and_locks_are_no_more_than_an_operation_can_tell_apart() {
        for key in ["events", "locks"] {
            let scenario = |count| {
                let names: Vec<_> = (0..count).map(|n| format!("\"n{n}\"")).collect();
                format!("{key} = [{}]\n", names.join(", ")) + &module("c", "client", "")
            };
            assert_eq!(complaint(&scenario(255)), "none");
            let most = complaint(&scenario(256));
            let expected = format!("at most 255 {key}, this is one more");
            assert!(most.contains(&expected), "{most}");
        }
    }

    #[test]
    fn a_name_is_one_word() {
        for name in ["", "a b"] {
            let refused = format!("`{name}` is no name");
            let event = format!("events = [\"{name}\"]\n") + &module("c", "client", "");
            let lock = event.replace("events", "locks");
            let thread = module("c", "client", "") + &thread(name, "[]");
            for text in [event, lock, module(name, "client", ""), thread] {
                let complaint = complaint(&text);
                assert!(complaint.contains(&refused), "{complaint}");
            }
        }
    }

    #[test]
    fn a_scenario_is_named_as_its_cases_files_can_be() {
        let complaint = |name: &str| {
            let text = format!(
                "name = \"{name}\"\nsummary = \"s\"\n{}",
                module("c", "client", "")
            );
            let scenario = Scenario::from_toml(Path::new("s.toml"), &text);
            scenario.map_or_else(|error| error.to_string(), |_| "none".to_owned())
        };
        assert_eq!(complaint("mine-2"), "none");
        for name in ["", "../mine", "my/own", "my own", ".mine"] {
            let expected = format!("s.toml:1:1: `{name}` is no name of a scenario");
            assert!(
                complaint(name).starts_with(&expected),
                "{}",
                complaint(name)
            );
        }
    }

    #[test]
    fn a_list_gives_back_the_locks_that_it_takes() {
        let one = |ops: &str| {
            "locks = [\"own\"]\n".to_owned() + &module("c", "client", "") + &thread("t", ops)
        };
        assert_eq!(
            complaint(&one("[\"lock own\", \"register c\", \"unlock own\"]")),
            "none"
        );
        let kept = complaint(&one("[\"lock own\", \"register c\"]"));
        assert!(
            kept.contains("`lock own` in a list of `t` that keeps it"),
            "{kept}"
        );
        let free = complaint(&one("[\"unlock own\", \"lock own\"]"));
        assert!(
            free.contains("`unlock own` in a list of `t` that has not taken it"),
            "{free}"
        );
    }

    #[test]
    fn what_follows_an_attach_follows_one() {
        let after = |rest: &str| complaint(&module("m", "client", rest));
        assert_eq!(
            after("after-attach = [\"yield\"]\nattach = \"twice\""),
            "none"
        );
        let never = after("after-attach = [\"yield\"]\nattach = \"decline\"");
        assert!(never.contains("expected a client that attaches"), "{never}");
        let provider = module("p", "provider", "after-attach = [\"yield\"]");
        assert!(complaint(&provider).contains("expected a client that attaches"));
    }

    #[test]
    fn a_module_is_chosen_among_its_peers() {
        let two = |peer: &str| {
            module("c", "client", &format!("peers = [\"{peer}\"]")) + &module("p", "provider", "")
        };
        assert_eq!(complaint(&two("p")), "none");
        for stranger in ["c", "q"] {
            let complaint = complaint(&two(stranger));
            assert!(complaint.contains("is no peer of `c`"), "{complaint}");
        }
    }

    #[test]
    fn a_provider_does_not_change_its_mind() {
        let provider = module("p", "provider", "attach = \"change-of-mind\"");
        assert!(
            complaint(&provider)
                .contains("expected attach = accept, decline, one-at-a-time or panic")
        );
    }

    #[test]
    fn only_a_module_with_a_rundown_dispatches() {
        for side in ["client", "provider"] {
            let plain = module("m", side, "") + &thread("t", "[\"dispatch m\"]");
            assert!(complaint(&plain).contains("expected a module with detach = \"rundown\""));
            let guarded = module("m", side, "detach = \"rundown\"");
            let guarded = guarded + &thread("t", "[\"dispatch m\"]");
            assert_eq!(complaint(&guarded), "none");
        }
    }

    #[test]
    fn what_is_owned_is_left_by_its_owner_alone() {
        let owned = format!("before = [\"own c\"]\n{}", module("c", "client", ""));
        let both = thread("t", "[\"leave c\"]") + &thread("u", "[\"deregister c\"]");
        assert!(complaint(&(owned.clone() + &both)).contains("expected `release c`"));
        let right = thread("t", "[\"release c\"]") + &thread("u", "[\"deregister c\"]");
        assert_eq!(complaint(&(owned + &right)), "none");
    }

    #[test]
    fn a_completer_ends_its_thread_and_waits_for_nobody() {
        let modules = module("p", "provider", "detach = \"pending\"");
        let early = modules.clone() + &thread("t", "[\"complete p\", \"yield\"]");
        assert!(complaint(&early).contains("expected it at the end of a thread"));
        let waiting = modules.clone() + &thread("t", "[\"wait p\", \"complete p\"]");
        assert!(complaint(&waiting).contains("a thread that does not wait"));
        let main = format!("after = [\"complete-all\"]\n{modules}");
        assert!(complaint(&main).contains("expected it in a thread"));
        let right = modules + &thread("t", "[\"yield\", \"complete p\"]");
        assert_eq!(complaint(&right), "none");
    }

    #[test]
    fn null_contexts_have_one_binding() {
        let nulls = module("c", "client", "null-context = true");
        let peers = module("p", "provider", "") + &module("q", "provider", "");
        let before = "before = [\"register c\", \"register p\", \"register q\"]\n";
        let two = format!("{before}{nulls}{peers}");
        assert!(complaint(&two).contains("`c` has null contexts: expected"));
        assert_eq!(complaint(&two.replace(", \"register q\"", "")), "none");
    }

    #[test]
    fn registering_in_attach_callbacks_comes_to_an_end() {
        let client = module("c", "client", "in-attach = [\"register d\"]");
        let ends = client.clone() + &module("d", "client", "") + &module("p", "provider", "");
        assert_eq!(complaint(&ends), "none");
        let again = client + &module("d", "client", "in-attach = [\"register c\"]");
        assert!(complaint(&again).contains("the attach callback of `c` registers modules"));
        let by_peer =
            module("p", "provider", "in-attach = [\"register e\"]") + &module("e", "client", "");
        assert!(complaint(&by_peer).contains("the attach callback of `p` registers modules"));
    }
}
