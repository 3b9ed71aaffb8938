//! The specification of a binding's life: attaching, detaching, cleaning up.

use nmr::{Side, Status};

use super::{Model, Part, Phase, State, Thrown, keep_first};
use crate::sequential::event::{Answer, Callback, Outcome, What};
use crate::sequential::ops::{Attach, DetachScript, Hook, Op};

/// The reason that scripted providers give when they decline.
pub const REFUSAL: Status = Status(0xC000_00BB);

impl Model {
    fn is_closing(&self, binding: usize) -> bool {
        let ends = self.bindings[binding].ends;
        ends.iter()
            .any(|&r| self.registrations[r].state != State::Open)
    }

    /// Makes the client's attach callback, and what its answer asks for.
    pub(super) fn offer(&mut self, binding: usize) -> Option<Thrown> {
        self.bindings[binding].phase = Phase::Offered {
            asked: false,
            accepted: false,
        };
        self.bindings[binding].inside = true;
        self.offered.push(binding);
        let pair = self.pair(binding);
        self.say(What::Callback(Callback::ClientAttach { binding: pair }));
        self.depth += 1;
        let answer = self.client_attach(binding);
        self.returned(match answer {
            Ok(true) => Outcome::Success,
            Ok(false) => Outcome::Declines,
            Err(_) => Outcome::Panics,
        });
        self.bindings[binding].inside = false;

        let Phase::Offered { accepted, .. } = self.bindings[binding].phase else {
            unreachable!("nothing else ends an offer")
        };
        // C18: a panic counts as declining.
        let success = answer == Ok(true);
        let mut panic = answer.err();
        match (accepted, success) {
            // Declined, or hollow success (C4).
            (false, _) => self.bindings[binding].phase = Phase::Gone,
            // C6: a late comer is detached at once.
            (true, true) => {
                self.bindings[binding].phase = Phase::Attached;
                if self.is_closing(binding) {
                    keep_first(&mut panic, self.detach(binding));
                }
            }
            // C5: the provider alone is detached.
            (true, false) => {
                self.bindings[binding].provider_alone = true;
                keep_first(&mut panic, self.detach(binding));
            }
        }
        panic
    }

    /// What a client's script does in its attach callback.
    fn client_attach(&mut self, binding: usize) -> Result<bool, Thrown> {
        let client = self.bindings[binding].ends[0];
        let attach = self.script(client).attach;
        self.hook(client, Hook::BeforeAttach);
        match attach {
            Attach::Decline => return Ok(false),
            Attach::Hollow => return Ok(true),
            Attach::Panic => return Err(self.thrown(client, "attach")),
            _ => {}
        }
        let call = Op::AttachProvider(self.binding_ref(binding));
        let attached = match self.call(&call) {
            Answer::Panicked(text) if attach != Attach::Insist => return Err(text),
            answer => matches!(answer, Answer::Attached { .. }),
        };
        if attach == Attach::Twice {
            self.call(&call);
        }
        self.hook(client, Hook::AfterAttach);
        match attach {
            Attach::ChangeOfMind => Ok(false),
            Attach::Insist => Ok(true),
            Attach::AttachThenPanic => Err(self.thrown(client, "attach")),
            _ => Ok(attached),
        }
    }

    /// `client_attach_provider`.
    pub(super) fn attach(&mut self, binding: usize) -> Answer {
        // C3: inside the client's callback, and once.
        let Phase::Offered { asked: false, .. } = self.bindings[binding].phase else {
            return Answer::InvalidState;
        };
        let asked = |accepted| Phase::Offered {
            asked: true,
            accepted,
        };
        self.bindings[binding].phase = asked(false);
        if self.is_closing(binding) {
            return Answer::NoInterface;
        }
        let [client, provider] = self.bindings[binding].ends;
        let pair = self.pair(binding);
        self.say(What::Callback(Callback::ProviderAttach {
            binding: pair,
            context: pair.context(Side::Client, self.script(client).null_context),
            dispatch: pair.dispatch(Side::Client),
        }));
        self.depth += 1;
        self.hook(provider, Hook::BeforeAttach);
        let script = self.script(provider);
        match script.attach {
            Attach::Decline => {
                self.returned(Outcome::Declines);
                Answer::Refused(REFUSAL)
            }
            Attach::Panic => {
                self.returned(Outcome::Panics);
                Answer::Panicked(self.thrown(provider, "attach"))
            }
            _ => {
                self.returned(Outcome::Success);
                self.bindings[binding].phase = asked(true);
                Answer::Attached {
                    context: pair.context(Side::Provider, script.null_context),
                    dispatch: pair.dispatch(Side::Provider),
                }
            }
        }
    }

    /// C7: each side is asked once, the client first; then, if both are done, C9.
    pub(super) fn detach(&mut self, binding: usize) -> Option<Thrown> {
        let client = match self.bindings[binding].provider_alone {
            true => Part::Done,
            false => Part::NotAsked,
        };
        self.bindings[binding].phase = Phase::Detaching([client, Part::NotAsked]);
        self.bindings[binding].inside = true;
        let mut panic = None;
        for side in Side::BOTH {
            if *self.part(binding, side) == Part::NotAsked {
                let thrown = self.ask_to_detach(binding, side);
                keep_first(&mut panic, thrown);
            }
        }
        self.bindings[binding].inside = false;
        keep_first(&mut panic, self.clean_up_if_done(binding));
        panic
    }

    fn part(&mut self, binding: usize, side: Side) -> &mut Part {
        match &mut self.bindings[binding].phase {
            Phase::Detaching(parts) => &mut parts[side as usize],
            phase => unreachable!("{phase:?} is not detaching"),
        }
    }

    fn ask_to_detach(&mut self, binding: usize, side: Side) -> Option<Thrown> {
        let own = self.bindings[binding].ends[side as usize];
        let (pair, script) = (self.pair(binding), self.script(own));
        *self.part(binding, side) = Part::Asked;
        self.say(What::Callback(Callback::Detach {
            module: pair.end(side),
            binding: Some(pair),
            context: pair.context(side, script.null_context),
        }));
        self.depth += 1;
        self.hook(own, Hook::Detach);
        let script = script.detach;
        use DetachScript::{Early, EarlyThenComplete, EarlyThenPanic, Pending};
        if matches!(script, Early | EarlyThenComplete | EarlyThenPanic) {
            self.call(&Op::detach_complete(side, self.binding_ref(binding)));
        }
        let outcome = match script {
            Early | Pending => Outcome::Pending,
            DetachScript::AtOnce | EarlyThenComplete => Outcome::Complete,
            DetachScript::Panic | EarlyThenPanic => Outcome::Panics,
        };
        self.returned(outcome);
        // C8: a completion inside the callback stands, whatever the callback answers.
        let part = self.part(binding, side);
        *part = match (*part, outcome) {
            (Part::Asked, Outcome::Pending) => Part::Pending,
            _ => Part::Done,
        };
        (outcome == Outcome::Panics).then(|| self.thrown(own, "detach"))
    }

    /// `client_detach_complete` and `provider_detach_complete`.
    pub(super) fn detach_complete(&mut self, binding: usize, side: Side) -> Answer {
        let Phase::Detaching(parts) = &mut self.bindings[binding].phase else {
            return Answer::InvalidState;
        };
        let part = &mut parts[side as usize];
        match *part {
            Part::Asked => *part = Part::Early,
            Part::Pending => *part = Part::Done,
            Part::NotAsked | Part::Early | Part::Done => return Answer::InvalidState,
        }
        let panic = self.clean_up_if_done(binding);
        panic.map_or(Answer::Done, Answer::Panicked)
    }

    /// C9, in the call that completed last.
    fn clean_up_if_done(&mut self, binding: usize) -> Option<Thrown> {
        if self.bindings[binding].phase != Phase::Detaching([Part::Done; 2]) {
            return None;
        }
        self.bindings[binding].phase = Phase::CleaningUp;
        self.bindings[binding].inside = true;
        let mut panic = None;
        for side in Side::BOTH {
            if side == Side::Client && self.bindings[binding].provider_alone {
                continue;
            }
            let own = self.bindings[binding].ends[side as usize];
            let (pair, script) = (self.pair(binding), self.script(own));
            self.say(What::Callback(Callback::CleanUp {
                module: pair.end(side),
                context: pair.context(side, script.null_context),
            }));
            self.depth += 1;
            self.hook(own, Hook::Cleanup);
            if script.cleanup_panics {
                self.returned(Outcome::Panics);
                keep_first(&mut panic, Some(self.thrown(own, "cleanup")));
            } else {
                self.returned(Outcome::Complete);
            }
        }
        self.bindings[binding].phase = Phase::Gone;
        self.bindings[binding].inside = false;
        panic
    }
}
