//! What a process said that prints the lines of a [report](crate::report), of which one says what came of its work;
//! and whether that is to be believed.

use std::process::ExitStatus;

use crate::report::Line;

/// What was heard of one process so far.
#[derive(Clone, Debug)]
pub struct Heard<T> {
    result: Option<T>,
    /// The first thing that it should not have said.
    fault: Option<String>,
}

/// Why a process is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelieved {
    /// It ended in a way that it never chooses.
    #[error("crashed ({0})")]
    Crashed(ExitStatus),
    /// It said something strange.
    #[error("printed {0}")]
    Printed(String),
    /// It ended otherwise than it said.
    #[error("contradicts itself ({0})")]
    Contradiction(ExitStatus),
    /// It did not say what came of it.
    #[error("ended without a result ({0})")]
    Silent(ExitStatus),
}

impl<T> Default for Heard<T> {
    fn default() -> Self {
        Self {
            result: None,
            fault: None,
        }
    }
}

impl<T> Heard<T> {
    /// Takes in a line; answers it if it is one of the format.
    pub fn line(&mut self, text: &str) -> Option<Line> {
        let line = serde_json::from_str(text);
        if line.is_err() {
            self.strange(text);
        }
        line.ok()
    }

    /// A line, of the format or not, was none for such a process to say.
    pub fn strange(&mut self, text: &str) {
        const SHOWN: usize = 200;
        let shown = || text.chars().take(SHOWN).collect::<String>();
        let fault = || format!("a line that is not its: {}", shown());
        self.fault.get_or_insert_with(fault);
    }

    /// A line said what came of it. Only one may.
    pub fn result(&mut self, result: T, text: &str) {
        match self.result {
            None => self.result = Some(result),
            Some(_) => self.strange(text),
        }
    }

    /// What it said came of it.
    #[must_use]
    pub const fn said(&self) -> Option<&T> {
        self.result.as_ref()
    }

    /// What came of it, if it has ended so that this `agrees` with it.
    ///
    /// # Errors
    /// It is not to be believed, and why.
    pub fn believe(
        self,
        status: ExitStatus,
        agrees: impl FnOnce(&T) -> bool,
    ) -> Result<T, Unbelieved> {
        match (self.result, self.fault) {
            (Some(result), None) if agrees(&result) => Ok(result),
            _ if is_crash(status) => Err(Unbelieved::Crashed(status)),
            (_, Some(fault)) => Err(Unbelieved::Printed(fault)),
            (Some(_), None) => Err(Unbelieved::Contradiction(status)),
            (None, None) => Err(Unbelieved::Silent(status)),
        }
    }
}

/// Whether a process ended in a way that it never chooses: 0 to 5 are the codes of a
/// [verdict](crate::report::Verdict::exit_code) and of a [replay](crate::replay::Verdict::exit_code), and 2 says that it
/// was called wrongly.
pub(super) fn is_crash(status: ExitStatus) -> bool {
    !matches!(status.code(), Some(0..=5))
}
