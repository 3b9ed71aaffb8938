//! A scenario: modules with a script of behaviour, and threads that use the registrar. Data only.
//!
//! It has a text form in TOML that a person can write; see the `scenarios` folder of this crate. It
//! knows nothing of engines and runs nothing.

mod c_module;
mod format;
mod place;
#[cfg(feature = "schema")]
mod schema;
mod stale;
mod terms;
mod validate;

use std::num::NonZeroU8;
use std::path::Path;

use nmr::Side;
use serde::{Deserialize, Serialize};

use crate::op::{Noun, Op};
use crate::rule::Rule;
use validate::Misuse;
use validate::is_completer;
pub(crate) use validate::is_wait;

pub use c_module::CModule;
pub use format::FormatError;
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use terms::{Platform, Terms};

/// The most threads that a scenario may have besides the main one.
pub const MAX_THREADS: usize = 6;
/// The most of them that loom has room for: with the main one it can have five. A scenario with more is
/// not run under it, which it says.
pub const MAX_LOOM_THREADS: usize = 4;

/// One program to explore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scenario {
    /// Its name, in kebab case.
    pub name: String,
    /// What happens in it, in a line.
    pub summary: String,
    /// The rules that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Whether what modules leave over is a violation: rules S1 to S4. See [`Terms`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
    /// The platform by whose rules modules are judged, too. See [`Terms`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The registrar's limits and faults.
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
    /// Events, by their names: what modules and threads wait for beside the registrar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Locks of the modules' own, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    /// Those of the locks that are spin locks: whoever has one runs at a raised level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spin_locks: Vec<String>,
    /// Operations of the main thread before the others start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Op>,
    /// Operations of the main thread after the others have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Op>,
    /// The modules.
    #[serde(rename = "module")]
    pub modules: Vec<Module>,
    /// The threads that run side by side.
    #[serde(default, rename = "thread", skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
}

/// See [`nmr::Builder`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    /// At most so many registrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_registrations: Option<usize>,
    /// At most so many bindings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bindings: Option<usize>,
    /// The k-th reservation of memory fails, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub fail_reservation: Option<usize>,
    /// Slots are retired after this generation, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub last_generation: Option<u32>,
}

impl Limits {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Sets these limits; where one is not given, the builder's stays.
    pub const fn apply(self, mut builder: nmr::Builder) -> nmr::Builder {
        if let Some(limit) = self.max_registrations {
            builder = builder.max_registrations(limit);
        }
        if let Some(limit) = self.max_bindings {
            builder = builder.max_bindings(limit);
        }
        if let Some(k) = self.fail_reservation {
            builder = builder.fail_reservation(k);
        }
        if let Some(generation) = self.last_generation {
            builder = builder.last_generation(generation);
        }
        builder
    }

    /// Whether there is room for so many and no more of something.
    pub(crate) const fn has_room(&self) -> bool {
        self.max_registrations.is_some() || self.max_bindings.is_some()
    }
}

/// A client or provider module and what it does when it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Module {
    /// Its name, by which operations refer to it.
    pub name: String,
    /// Which side it registers on.
    #[serde(with = "side_name")]
    #[cfg_attr(feature = "schema", schemars(with = "schema::SideName"))]
    pub side: Side,
    /// The number of its interface, from 1; 0 is the nil NPIID. Its four upper bits are the GUID's upper half,
    /// the lower ones the lower half.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub npi: u8,
    /// Its attach callback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attach: Attach,
    /// Attaches to so many peers, the first ones, and declines all others: whatever becomes of the first ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<NonZeroU8>,
    /// The only modules that it attaches to, by their names; empty if it attaches to any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// Its detach callback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detach: Detach,
    /// Its cleanup callback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleanup: Cleanup,
    /// Whether it hands over a null binding context.
    #[serde(default, skip_serializing_if = "is_default")]
    pub null_context: bool,
    /// Operations inside its attach callback: of a client before it attaches, of a provider before it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_attach: Vec<Op>,
    /// Client only: operations inside its attach callback, after it has attached and before it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_attach: Vec<Op>,
    /// Operations inside its detach callback, before it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_detach: Vec<Op>,
    /// Operations inside its cleanup callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_cleanup: Vec<Op>,
    /// Operations where the registrar drops the module: its registration context.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_drop: Vec<Op>,
    /// Operations where the registrar drops a binding context of the module's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_context_drop: Vec<Op>,
    /// Whether the module counts on its calls: one of its own that the registrar refuses is then a mistake of
    /// the module's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
    /// A mistake that the module makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The module in C that it is, instead of having a script: it has no other key then but name, side and interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_module: Option<CModule>,
}

/// A mistake that modules make with their own memory, and that the registrar can do nothing about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Fault {
    /// Frees its binding context in its detach callback, and not in its cleanup callback: its peer, and its
    /// own calls, may still use it.
    FreesInDetach,
    /// Uses its binding context after its detach-complete call, inside which its cleanup callback may have
    /// freed it.
    UsesAfterComplete,
    /// Calls its peer's dispatch table with nothing that keeps the binding alive meanwhile. A module with
    /// `detach = "rundown"`, whose rundown then waits for no call.
    UnguardedDispatch,
    /// A provider that calls its client's dispatch table inside its attach callback, before the client has attached.
    CallsInAttach,
    /// Waits in its detach callback for the calls that run, and lets others begin when it has detached. A module with
    /// `detach = "rundown"`, whose rundown is not closed where no call runs.
    CallsAfterDetach,
    /// Registers before it is ready for callbacks, which come inside the register call.
    NotReady,
    /// Does not free its binding context where it changes its mind after having attached: nobody will ask it
    /// to clean up.
    LeaksContext,
}

const fn one() -> u8 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_one(npi: &u8) -> bool {
    *npi == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

mod side_name {
    use nmr::Side;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(super) fn serialize<S: Serializer>(side: &Side, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(side)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Side, D::Error> {
        match String::deserialize(from)?.as_str() {
            "client" => Ok(Side::Client),
            "provider" => Ok(Side::Provider),
            other => Err(de::Error::invalid_value(
                de::Unexpected::Str(other),
                &"`client` or `provider`",
            )),
        }
    }
}

/// What an attach callback does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Attach {
    /// Attaches and answers success.
    #[default]
    Accept,
    /// Declines. A client does so without calling `client_attach_provider`.
    Decline,
    /// Accepts where no binding of the module's lives, which one does until its cleanup callback; else declines.
    OneAtATime,
    /// Client only: answers success without having attached (C4).
    Hollow,
    /// Client only: attaches, then answers failure (C5).
    ChangeOfMind,
    /// Client only: attaches, and calls `client_attach_provider` a second time (C3).
    Twice,
    /// Panics, a client before it attaches.
    Panic,
    /// Client only: attaches, then panics (C18, C5).
    PanicAfterAttach,
}

/// What a detach callback does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Detach {
    /// Answers complete.
    #[default]
    Complete,
    /// Answers pending; a `complete` operation completes it.
    Pending,
    /// Calls its detach-complete function, then answers pending (C8).
    CompleteEarly,
    /// Waits for calls through the peer's dispatch table to end: answers complete if none runs, else
    /// pending, and the last of them completes.
    Rundown,
    /// Panics.
    Panic,
}

/// What a cleanup callback does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Cleanup {
    /// Returns.
    #[default]
    Return,
    /// Panics.
    Panic,
}

/// A thread and its operations, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// What it does.
    pub ops: Vec<Op>,
}

impl Module {
    /// A module that accepts, detaches at once and does nothing else.
    #[must_use]
    pub fn new(name: impl Into<String>, side: Side, npi: u8) -> Self {
        Self {
            name: name.into(),
            side,
            npi,
            attach: Attach::default(),
            first: None,
            peers: Vec::new(),
            detach: Detach::default(),
            cleanup: Cleanup::default(),
            null_context: false,
            in_attach: Vec::new(),
            after_attach: Vec::new(),
            in_detach: Vec::new(),
            in_cleanup: Vec::new(),
            in_drop: Vec::new(),
            in_context_drop: Vec::new(),
            strict: false,
            fault: None,
            c_module: None,
        }
    }

    /// How many bindings it takes, if that is counted: at a time, or in all.
    pub(crate) fn places(&self) -> Option<u8> {
        match self.attach {
            Attach::OneAtATime => Some(1),
            _ => self.first.map(NonZeroU8::get),
        }
    }

    /// The keys of its lists of operations, in the order of [`scripts`](Self::scripts).
    pub(crate) const SCRIPTS: [&str; 6] = [
        "in-attach",
        "after-attach",
        "in-detach",
        "in-cleanup",
        "in-drop",
        "in-context-drop",
    ];

    /// The operations of its callbacks and drops.
    #[must_use]
    pub fn scripts(&self) -> [&Vec<Op>; 6] {
        let Self {
            in_attach,
            after_attach,
            in_detach,
            in_cleanup,
            in_drop,
            in_context_drop,
            ..
        } = self;
        [
            in_attach,
            after_attach,
            in_detach,
            in_cleanup,
            in_drop,
            in_context_drop,
        ]
    }

    /// The same, to be changed.
    pub fn scripts_mut(&mut self) -> [&mut Vec<Op>; 6] {
        let Self {
            in_attach,
            after_attach,
            in_detach,
            in_cleanup,
            in_drop,
            in_context_drop,
            ..
        } = self;
        [
            in_attach,
            after_attach,
            in_detach,
            in_cleanup,
            in_drop,
            in_context_drop,
        ]
    }
}

impl Scenario {
    /// By which rules it is judged besides the contract.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        Terms {
            strict: self.strict,
            platform: self.platform,
        }
    }

    /// The same scenario, judged by more.
    #[must_use]
    pub fn under(self, terms: Terms) -> Self {
        let Terms { strict, platform } = self.terms().and(terms);
        Self {
            strict,
            platform,
            ..self
        }
    }

    /// The name of a thread by its number: 0 is the main one.
    ///
    /// # Panics
    /// If there is no such thread.
    #[must_use]
    pub fn thread_name(&self, number: u8) -> &str {
        match usize::from(number).checked_sub(1) {
            Some(index) => &self.threads[index].name,
            None => "main",
        }
    }

    /// Reads the text form; `path` is for messages only.
    ///
    /// # Errors
    /// With file, line, what is wrong and what was expected.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, FormatError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| FormatError::from_toml(path, text, &error))?;
        scenario.check(path, text)?;
        Ok(scenario)
    }

    /// Whether it makes sense; `text` is where it was read from.
    ///
    /// # Errors
    /// What does not, and where it says so.
    pub fn check(&self, path: &Path, text: &str) -> Result<(), FormatError> {
        self.check_within(path, text, None)
    }

    /// The same, where the text has the scenario under this key.
    ///
    /// # Errors
    /// What does not make sense, and where it says so.
    pub fn check_within(
        &self,
        path: &Path,
        text: &str,
        key: Option<&str>,
    ) -> Result<(), FormatError> {
        self.validate().map_err(|Misuse { place, message }| {
            let error = FormatError::new(path, message);
            match place.span(text, key) {
                Some(span) => error.at_span(text, span),
                None => error,
            }
        })
    }

    /// The text form.
    ///
    /// # Panics
    /// Never: a scenario has a text form.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a scenario has a text form")
    }

    /// The index of what an operation names.
    pub(crate) fn index(&self, noun: Noun, name: &str) -> Option<usize> {
        let of = |names: &[String]| names.iter().position(|it| it == name);
        match noun {
            Noun::Module => self.module(name),
            Noun::Event => of(&self.events),
            Noun::Lock => of(&self.locks),
        }
    }

    /// The index of a module.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<usize> {
        self.modules.iter().position(|module| module.name == name)
    }

    /// Every operation with the index of its thread: 0 is the main thread (before and after), the
    /// others follow. `None`: inside a callback.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (Option<usize>, &Op)> {
        let main = self
            .before
            .iter()
            .chain(&self.after)
            .map(|op| (Some(0), op));
        let threads = self.threads.iter().enumerate();
        let threads = threads
            .flat_map(|(index, thread)| thread.ops.iter().map(move |op| (Some(index + 1), op)));
        let callbacks = self
            .modules
            .iter()
            .flat_map(|module| module.scripts().into_iter().flatten().map(|op| (None, op)));
        main.chain(threads).chain(callbacks)
    }

    /// Whether one thread or callback registers the module while another one uses its handle. The
    /// main thread races with nobody.
    pub(crate) fn is_raced(&self, module: &str) -> bool {
        let uses = |op: &Op| op.module() == Some(module) || op.is_forging();
        let ops = self
            .operations()
            .filter(|(by, op)| uses(op) && *by != Some(0));
        let ops: Vec<_> = ops.collect();
        let registers =
            |op: &Op| matches!(op, Op::Register(name) | Op::Own(name) if name == module);
        let mut registering = ops.iter().filter(|(_, op)| registers(op));
        registering.any(|(by, _)| ops.iter().any(|(other, _)| other != by))
    }

    /// Whether a thread uses a binding's handle that the module's callbacks learnt. The main thread
    /// races with nobody.
    pub(crate) fn is_binding_raced(&self, module: &str) -> bool {
        self.uses_of_last_binding(module).any(|by| by != Some(0))
    }

    /// Whether some operation uses the module's last binding.
    pub(crate) fn is_last_binding_used(&self, module: &str) -> bool {
        self.uses_of_last_binding(module).next().is_some()
    }

    /// The threads whose operations use the module's last binding.
    fn uses_of_last_binding(&self, module: &str) -> impl Iterator<Item = Option<usize>> {
        let operations = self.operations();
        operations.filter_map(move |(by, op)| {
            let uses = matches!(op, Op::CompleteAgain(name) | Op::Attach(name) | Op::DeregisterWrong(name)
                if name == module);
            uses.then_some(by)
        })
    }

    /// Whether pending detaches are completed in any order, and their order says nothing.
    pub(crate) fn completes_any(&self) -> bool {
        let completions = self.operations().filter(|(_, op)| op.completes_pending());
        let completions: Vec<_> = completions.map(|(_, op)| op).collect();
        !completions.is_empty() && completions.iter().all(|op| **op == Op::CompleteAny)
    }

    /// Whether some module is one in C.
    #[must_use]
    pub fn has_c_modules(&self) -> bool {
        self.modules.iter().any(|module| module.c_module.is_some())
    }

    /// The same scenario, in which each module in C says which one it is.
    ///
    /// # Errors
    /// One cannot be read, or is another one than it says.
    pub fn identified(mut self) -> Result<Self, String> {
        for module in &mut self.modules {
            if let Some(c_module) = &mut module.c_module {
                *c_module = c_module.read()?.1;
            }
        }
        Ok(self)
    }

    /// The same scenario with a module in C in the place of a scripted one.
    ///
    /// # Errors
    /// There is no such module, or it is asked for something that one in C cannot be asked for.
    pub fn with_c_module(mut self, name: &str, c_module: CModule) -> Result<Self, String> {
        let Some(index) = self.module(name) else {
            return Err(format!("it has no module `{name}`"));
        };
        let module = &mut self.modules[index];
        *module = Module {
            c_module: Some(c_module),
            ..Module::new(name, module.side, module.npi)
        };
        match self.validate() {
            Ok(()) => Ok(self),
            Err(misuse) => Err(misuse.message),
        }
    }

    /// Whether some module makes a mistake with its memory.
    pub(crate) fn has_fault(&self) -> bool {
        self.modules.iter().any(|module| module.fault.is_some())
    }

    /// All operations, of the main thread, of the others and of callbacks, to be changed.
    pub fn operations_mut(&mut self) -> impl Iterator<Item = &mut Op> {
        let threads = self.threads.iter_mut().map(|thread| &mut thread.ops);
        let scripts = self.modules.iter_mut().flat_map(Module::scripts_mut);
        let main = [&mut self.before, &mut self.after];
        main.into_iter().chain(threads).chain(scripts).flatten()
    }

    /// Whether a module is unloaded.
    pub(crate) fn unloads(&self) -> bool {
        self.operations().any(|(_, op)| matches!(op, Op::Unload(_)))
    }

    /// Whether some thread completes pending detaches as they come.
    pub(crate) fn has_completer(&self) -> bool {
        self.operations().any(|(_, op)| is_completer(op))
    }
}
