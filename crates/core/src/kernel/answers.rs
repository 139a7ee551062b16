//! What the store has said, and what becomes of the candidate by it.

use super::{
    event::{Answer, End},
    evidence::Hinted,
    holding::{Holding, Sent},
    kernel::Kernel,
    role::{Flight, Role},
};
use crate::{FencingToken, Moment, Observation, Stamp, Swap};

impl Kernel {
    pub(super) fn answered(&mut self, now: Moment, answer: Answer) {
        let Some(flight) = self.flight.take() else { return };
        match answer {
            Answer::Unknown => self.unanswered(now, flight),
            Answer::Observed(seen) | Answer::Swapped(Swap::Refused(Some(seen))) => {
                self.pause = None;
                self.shown(now, seen);
            }
            Answer::Swapped(Swap::Refused(None)) => {
                self.pause = None;
                self.look = true;
            }
            Answer::Swapped(Swap::Written(seen)) => {
                self.pause = None;
                self.written(now, flight, seen);
            }
        }
    }

    /// Whether the last write is what the store shows as its outcome. A store, or whatever stands before
    /// it and changes requests, may confirm what it has not kept: then what is there counts.
    pub fn has_written(&self, seen: &Observation) -> bool {
        let stamp = seen.record.as_ref().and_then(|record| record.stamp);
        stamp == Some(Stamp { author: self.me, attempt: self.attempts })
    }

    fn unanswered(&mut self, now: Moment, flight: Flight) {
        self.pause = Some(now);
        match (&mut self.role, flight) {
            // A leader goes on renewing, and learns from that what it wanted to see.
            (Role::Standby, Flight::Observe) => self.look = true,
            (Role::Releasing(release), _) => {
                release.tries -= 1;
                if release.tries == 0 {
                    self.leave(now);
                }
            }
            _ => {}
        }
    }

    fn written(&mut self, now: Moment, flight: Flight, seen: Observation) {
        if !self.has_written(&seen) {
            self.shown(now, seen);
            self.unanswered(now, flight);
            return;
        }
        let same_era = self.evidence.seen().is_some_and(|known| known.era == seen.era);
        self.evidence.wrote(now, seen);
        match (&mut self.role, flight) {
            (Role::Claiming(_), Flight::Claim(sent)) => self.won(now, sent, same_era),
            (Role::Leading(holding) | Role::Draining(holding, _), Flight::Renew(sent)) => {
                holding.confirmed = Some(sent);
                holding.rest = Some(sent.at);
            }
            (Role::Releasing(_), Flight::Release) => self.leave(now),
            _ => {}
        }
    }

    /// A claim is in the store. It counts from its own sending, and only in the era whose record
    /// was waited out.
    pub(super) fn won(&mut self, now: Moment, sent: Sent, same_era: bool) {
        let Role::Claiming(holding) = &mut self.role else { return };
        if same_era && now.age(sent.at) < self.bounds.deadline {
            let mut holding = std::mem::replace(holding, Holding::new(FencingToken::ZERO));
            holding.confirmed = Some(sent);
            holding.rest = Some(sent.at);
            self.spread = 0;
            self.role = Role::Leading(holding);
        } else {
            self.role = Role::Standby;
        }
    }

    /// The store shows something: by a refusal, or because it was asked.
    fn shown(&mut self, now: Moment, seen: Observation) {
        let before = self.evidence.seen().cloned();
        let same_era = before.as_ref().is_some_and(|known| known.era == seen.era);
        let newer =
            before.is_some_and(|known| same_era && seen.version.number() > known.version.number());
        self.evidence.take(now, seen);
        let record = self.evidence.record();
        match &mut self.role {
            Role::Claiming(holding) => match holding.found(self.me, record) {
                Some(sent) => self.won(now, sent, same_era),
                None => {
                    let settled = record.is_some_and(|record| record.holder().is_some());
                    self.spread = if settled { 0 } else { self.jitter() };
                    self.role = Role::Standby;
                }
            },
            Role::Leading(holding) | Role::Draining(holding, _) => {
                let older = |sent: &Sent| {
                    newer
                        && holding
                            .confirmed
                            .is_some_and(|confirmed| sent.attempt < confirmed.attempt)
                };
                match holding.found(self.me, record).filter(|sent| !older(sent)) {
                    // Our own record: relabelled, or an attempt whose answer we did not get, or,
                    // from a store that went back, an older one, whose validity is what is left.
                    Some(sent) => {
                        holding.confirmed = Some(sent);
                        holding.rest = None;
                        self.expire(now);
                    }
                    None => self.end(End::Lost),
                }
            }
            _ => {}
        }
    }

    pub(super) fn hinted(&mut self, now: Moment, hint: &Observation) {
        self.evidence.learn(hint);
        match &self.role {
            // The answer that is under way may be older, and would look like a store that went back.
            Role::Standby if self.flight.is_some() => {
                self.look |= self.evidence.weigh(hint) != Hinted::Stale;
            }
            Role::Standby => self.look |= self.evidence.hint(now, hint) == Hinted::Odd,
            Role::Leading(holding) | Role::Draining(holding, _) if self.flight.is_none() => {
                let own = hint
                    .record
                    .as_ref()
                    .is_some_and(|r| r.is_held_by(self.me) && r.token == holding.token);
                let stale = self.evidence.seen().is_some_and(|known| {
                    known.era == hint.era
                        && hint.record.is_some()
                        && hint.version.number() <= known.version.number()
                });
                self.look |= (!own || self.another(hint).is_some()) && !stale;
            }
            // What is under way will show it, or nothing depends on it.
            _ => {}
        }
    }
}
