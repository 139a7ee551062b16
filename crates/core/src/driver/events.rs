//! What the driver has waited for, as an event of the kernel.

use std::time::Duration;

use super::{
    command::{Campaign, Command},
    driver::{Driver, State},
    pushes::Push,
};
use crate::{
    End, Error, ErrorKind, Swap,
    kernel::{Answer, Event},
};

/// So often a store may fail to answer in time before it has ever answered.
const FIRST_ANSWER_TRIES: u32 = 3;

impl Driver {
    pub(super) fn commanded(&mut self, command: Command) -> Option<Event> {
        match (command, &self.state) {
            (Command::Campaign(campaign), State::Idle) => Some(self.campaign(campaign)),
            (Command::Campaign(campaign), State::Leading(term, _))
                if term.work.is_closed()
                    && self.next.as_ref().is_none_or(|next| next.reply.is_closed()) =>
            {
                self.next = Some(campaign);
                None
            }
            (Command::Campaign(campaign), _) => {
                let why = "this elector campaigns or leads already: one term at a time";
                // Who does not wait for the answer does not need it.
                let _ = campaign.reply.send(Err(self.error(ErrorKind::Busy, why)));
                None
            }
            (Command::StepDown(reply), State::Leading(term, _)) => {
                term.stop(End::Resigned);
                self.stepping_down.push(reply);
                Some(Event::Resign)
            }
            (Command::StepDown(reply), _) => {
                let _ = reply.send(false);
                None
            }
            (Command::Settle(reply), State::Leading(..)) => {
                // A term of before, whose work has not ended: nobody waits for that.
                drop(reply);
                None
            }
            (Command::Settle(reply), _) => {
                self.settling.push(reply);
                None
            }
        }
    }

    pub(super) fn campaign(&mut self, campaign: Campaign) -> Event {
        tracing::info!(
            target: "leasehold::term",
            lease = %self.lease,
            candidate = %self.candidate,
            timing = %self.timing,
            failover_bound = ?self.timing.failover_bound(),
            "campaigning"
        );
        self.publisher.forget();
        self.state = State::Campaigning(campaign);
        Event::Campaign
    }

    pub(super) fn answered(&mut self, answer: Result<Answer, Error>) -> Option<Event> {
        match answer {
            Ok(answer) => {
                match &answer {
                    // Refused, and nothing to be seen: what is there is as unknown as before.
                    Answer::Swapped(Swap::Refused(None)) => {}
                    Answer::Swapped(Swap::Written(seen)) if !self.kernel.has_written(seen) => {
                        let why = "the store confirms it and shows something else: see what changes \
                                   requests on their way, a proxy, an admission webhook or policy";
                        let operation = format!("write {}", self.lease);
                        self.log_unanswered(&Error::new(ErrorKind::Unexpected, operation, why));
                    }
                    _ => self.publisher.answered(),
                }
                Some(Event::Answer(answer))
            }
            Err(error) => {
                self.log_unanswered(&error);
                self.step(Event::Answer(Answer::Unknown));
                // A store that is slow to answer first, or a process that was frozen meanwhile, is no
                // mistake of its set-up.
                let slow = error.kind() == ErrorKind::Timeout
                    && self.publisher.unanswered < FIRST_ANSWER_TRIES;
                let hopeless = !self.publisher.ever && !slow;
                (hopeless && matches!(self.state, State::Campaigning(_))).then(|| {
                    self.give_up(error);
                    Event::Withdraw
                })
            }
        }
    }

    /// Once for as long as it lasts.
    fn log_unanswered(&mut self, error: &Error) {
        let Self { lease, candidate, publisher, .. } = self;
        if publisher.unanswered(error) {
            let what = match error.kind() {
                ErrorKind::Denied => "denied",
                ErrorKind::Unexpected => "unexpected",
                _ => "no answer",
            };
            tracing::warn!(target: "leasehold::term", %lease, %candidate, %error, "{what}");
        }
    }

    pub(super) fn pushed(&mut self, push: Push) -> Option<Event> {
        match push {
            Push::Hint(seen) => {
                self.watch_shown += 1;
                if self.watch_shown > 1 {
                    self.watch_trouble.clear();
                }
                Some(Event::Hint(seen))
            }
            Push::Broke(error) => {
                let kind = error.as_ref().map(Error::kind);
                let error = error.map_or_else(|| "it ended".to_owned(), |error| error.to_string());
                let Self { lease, candidate, watch_trouble, watch_shown, .. } = self;
                *watch_shown = 0;
                if !watch_trouble.contains(&kind) {
                    tracing::warn!(target: "leasehold::term", %lease, %candidate, error, "watch broke");
                    watch_trouble.push(kind);
                }
                Some(Event::Poll)
            }
            Push::Again => Some(Event::Poll),
        }
    }

    /// Nobody wants to lead any more. What the campaign left in the store is seen to afterwards.
    pub(super) fn withdrawn(&mut self) -> Option<Event> {
        let error = self.error(ErrorKind::Cancelled, "it was told to end");
        if let Some(waiting) = self.next.take() {
            let _ = waiting.reply.send(Err(error));
            return None;
        }
        self.give_up(error);
        Some(Event::Withdraw)
    }

    /// The term was found to have ended by its clock, or its guard was dropped just now.
    pub(super) fn ended(&self) -> Event {
        match &self.state {
            State::Leading(term, _) if term.why() == Some(End::Resigned) => Event::Resign,
            _ => Event::Lapsed,
        }
    }

    pub(super) fn timed(&mut self) -> Event {
        if let Some((asked, after, _)) = self.timer.take() {
            let late = self.calls.clock.now().wait(asked).saturating_sub(after);
            if late > self.bounds.retry {
                tracing::warn!(
                    target: "leasehold::term",
                    lease = %self.lease,
                    candidate = %self.candidate,
                    late = ?Duration::from_nanos(late),
                    "late: the runtime is blocked or starved, or the host was suspended"
                );
            }
        }
        Event::Timer
    }
}
