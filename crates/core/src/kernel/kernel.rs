use std::{sync::Arc, time::Duration};

use super::{
    event::{Answer, Bounds, End, Event, Request, View},
    evidence::{Evidence, Hinted, Verdict},
    holding::{Holding, Sent},
};
use crate::{FencingToken, Moment, Observation, RandomPart, Record, Stamp, Swap, Tenure};

/// One candidate for one lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    name: Arc<str>,
    me: RandomPart,
    bounds: Bounds,
    evidence: Evidence,
    role: Role,
    flight: Option<Flight>,
    /// An observation is wanted before anything else is done.
    look: bool,
    /// When the last request went unanswered, until the retry interval has passed.
    pause: Option<Moment>,
    /// Counts writes over the whole life of the elector, so that each has its own number.
    attempts: u64,
    /// The term that was given up of one's own will, until another was seen.
    out: Option<Out>,
    /// How long the next claim is put off, because the last one was lost.
    spread: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Idle,
    Standby,
    /// A claim was sent, and nothing is known of it. What is known of the store is what it names.
    Claiming(Holding),
    Leading(Holding),
    /// The work was told to stop, and is renewed for meanwhile.
    Draining(Holding, Drain),
    /// The work must not go on, and has not ended.
    Ended(FencingToken, End),
    /// Nobody works: the lease is given back, if it is still that of this term.
    Releasing(Release),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Drain {
    since: Moment,
    why: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Release {
    token: FencingToken,
    /// The unanswered attempts that are left.
    tries: u8,
    /// A claim of this token may have been written unseen.
    unsure: bool,
    /// Given up of one's own will.
    willing: bool,
    /// The next campaign was asked for already.
    again: bool,
}

impl Release {
    /// The end of the process may wait for this, and the lease ends by itself.
    const TRIES: u8 = 2;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Out {
    since: Moment,
    token: FencingToken,
}

/// The request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Flight {
    Observe,
    /// `Vacant` or `Free`, written by a standby.
    Prepare,
    Claim(Sent),
    Renew(Sent),
    Release,
}

impl Kernel {
    /// A candidate that does nothing yet.
    pub const fn new(name: Arc<str>, me: RandomPart, bounds: Bounds) -> Self {
        Self {
            name,
            me,
            bounds,
            evidence: Evidence::new(me, bounds.lease),
            role: Role::Idle,
            flight: None,
            look: false,
            pause: None,
            attempts: 0,
            out: None,
            spread: 0,
        }
    }

    /// What happens, and what the store is to be asked because of it.
    ///
    /// `now` must not be later than the moment at which the request is sent: validity counts from
    /// it. Moments never go back.
    pub fn step(&mut self, now: Moment, event: Event) -> Option<Request> {
        self.expire(now);
        match event {
            Event::Campaign => self.campaign(),
            Event::Withdraw => self.withdraw(),
            Event::Resign => self.drain(now, End::Resigned),
            Event::Lapsed => self.end(End::Lapsed),
            Event::WorkEnded => self.work_ended(),
            Event::Answer(answer) => self.answered(now, answer),
            Event::Hint(hint) => self.hinted(now, &hint),
            Event::Poll => self.look |= matches!(self.role, Role::Standby),
            Event::Timer => {}
        }
        self.next(now)
    }

    /// Where this candidate stands.
    pub fn view(&self) -> View {
        match &self.role {
            Role::Idle => View::Idle,
            Role::Standby | Role::Claiming(_) => View::Standby,
            Role::Leading(Holding { token, confirmed: Some(sent), .. }) => {
                View::Leading { token: *token, sent: sent.at }
            }
            Role::Draining(Holding { token, confirmed: Some(sent), .. }, drain) => {
                View::Draining { token: *token, sent: sent.at, why: drain.why }
            }
            // One leads by a confirmed write only.
            Role::Leading(_) | Role::Draining(..) => View::Ended(End::Lapsed),
            Role::Ended(_, why) => View::Ended(*why),
            Role::Releasing(_) => View::Releasing,
        }
    }

    /// What is known of the store.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Whether a request is under way.
    pub const fn is_waiting_for_answer(&self) -> bool {
        self.flight.is_some()
    }

    /// In how many nanoseconds a [`Event::Timer`] will have something to do, if nothing else
    /// happens before.
    pub fn next_timer(&self, now: Moment) -> Option<u64> {
        let expiry = match &self.role {
            Role::Leading(holding) => Some(self.bounds.deadline.saturating_sub(holding.age(now))),
            Role::Draining(holding, _) => {
                Some(self.bounds.validity.saturating_sub(holding.age(now)))
            }
            _ => None,
        };
        let action = if self.flight.is_some() { None } else { self.next_action(now) };
        match (expiry, action) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    fn next_action(&self, now: Moment) -> Option<u64> {
        let pause = self.paused(now);
        let rest = match &self.role {
            Role::Idle | Role::Ended(..) => return None,
            Role::Standby if self.look => 0,
            Role::Standby => match self.evidence.verdict(now) {
                Verdict::Look | Verdict::Mark => 0,
                Verdict::Wait(rest) => rest.max(self.stays_out(now)),
                Verdict::Clear | Verdict::Claim(_) => self.stays_out(now).max(self.spread(now)),
                Verdict::Exhausted => return None,
            },
            Role::Draining(_, drain) if now.age(drain.since) >= self.bounds.drain => return None,
            Role::Leading(holding) | Role::Draining(holding, _) => self.renewal_due(holding, now),
            Role::Claiming(_) | Role::Releasing(_) => 0,
        };
        Some(rest.max(pause))
    }

    /// Ends by time what time ends, before anything else is looked at.
    fn expire(&mut self, now: Moment) {
        if let Role::Leading(holding) | Role::Draining(holding, _) = &self.role {
            let age = holding.age(now);
            if age >= self.bounds.validity {
                self.end(End::Lapsed);
            } else if age >= self.bounds.deadline {
                self.drain(now, End::Lapsed);
            }
        }
    }

    fn campaign(&mut self) {
        match &mut self.role {
            Role::Idle => {
                self.role = Role::Standby;
                self.look = true;
            }
            Role::Releasing(release) => release.again = true,
            _ => {}
        }
    }

    fn withdraw(&mut self) {
        match &self.role {
            Role::Standby => self.role = Role::Idle,
            // The claim may have been written, or may yet be.
            Role::Claiming(holding) => self.release(holding.token, true, true),
            Role::Releasing(release) => {
                self.role = Role::Releasing(Release { again: false, ..*release });
            }
            _ => {}
        }
    }

    fn drain(&mut self, now: Moment, why: End) {
        if let Role::Leading(holding) = &mut self.role {
            let holding = std::mem::replace(holding, Holding::new(FencingToken::ZERO));
            self.role = Role::Draining(holding, Drain { since: now, why });
        }
    }

    fn end(&mut self, why: End) {
        if let Role::Leading(holding) | Role::Draining(holding, _) = &self.role {
            self.role = Role::Ended(holding.token, why);
        }
    }

    fn work_ended(&mut self) {
        match &self.role {
            Role::Leading(holding) => self.release(holding.token, false, true),
            Role::Draining(holding, drain) => {
                self.release(holding.token, false, drain.why == End::Resigned);
            }
            Role::Ended(_, End::Lost) => self.role = Role::Idle,
            Role::Ended(token, _) => self.release(*token, false, false),
            _ => {}
        }
    }

    fn release(&mut self, token: FencingToken, unsure: bool, willing: bool) {
        let tries = Release::TRIES;
        self.role = Role::Releasing(Release { token, tries, unsure, willing, again: false });
    }

    fn answered(&mut self, now: Moment, answer: Answer) {
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
    fn won(&mut self, now: Moment, sent: Sent, same_era: bool) {
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

    fn hinted(&mut self, now: Moment, hint: &Observation) {
        match &self.role {
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
                self.look |= !own && !stale;
            }
            // What is under way will show it, or nothing depends on it.
            _ => {}
        }
    }

    /// What the store is to be asked now.
    fn next(&mut self, now: Moment) -> Option<Request> {
        if self.flight.is_some() || self.paused(now) > 0 {
            return None;
        }
        self.pause = None;
        match &self.role {
            Role::Idle | Role::Ended(..) => None,
            _ if self.look => self.observe(),
            Role::Standby => self.next_of_standby(now),
            Role::Claiming(_) => self.claim(now),
            Role::Draining(_, drain) if now.age(drain.since) >= self.bounds.drain => None,
            Role::Leading(holding) | Role::Draining(holding, _) => {
                if self.renewal_due(holding, now) > 0 { None } else { self.renew(now) }
            }
            Role::Releasing(release) => self.next_of_release(now, *release),
        }
    }

    fn next_of_standby(&mut self, now: Moment) -> Option<Request> {
        let verdict = self.evidence.verdict(now);
        match verdict {
            Verdict::Look => self.observe(),
            Verdict::Mark => self.prepare(Tenure::Vacant),
            Verdict::Wait(_) | Verdict::Exhausted => None,
            _ if self.stays_out(now).max(self.spread(now)) > 0 => None,
            Verdict::Clear => self.prepare(Tenure::Free),
            Verdict::Claim(token) => {
                self.out = None;
                self.role = Role::Claiming(Holding::new(token));
                self.claim(now)
            }
        }
    }

    fn next_of_release(&mut self, now: Moment, release: Release) -> Option<Request> {
        if self.evidence.may_release(release.token) {
            self.attempts += 1;
            self.swap(Flight::Release, release.token, self.evidence.longest(), Tenure::Free)
        } else if release.unsure {
            if let Role::Releasing(release) = &mut self.role {
                release.unsure = false;
            }
            self.observe()
        } else {
            self.leave(now);
            None
        }
    }

    fn observe(&mut self) -> Option<Request> {
        self.look = false;
        self.flight = Some(Flight::Observe);
        Some(Request::Observe)
    }

    /// Writes that nobody holds the lease, for others to wait out or to take.
    fn prepare(&mut self, tenure: Tenure) -> Option<Request> {
        self.attempts += 1;
        self.swap(Flight::Prepare, self.evidence.floor(), self.evidence.longest(), tenure)
    }

    fn claim(&mut self, now: Moment) -> Option<Request> {
        let sent = self.send(now);
        let Role::Claiming(holding) = &mut self.role else { return None };
        holding.sending(now, sent.attempt, self.bounds.validity);
        let token = holding.token;
        self.hold(Flight::Claim(sent), token)
    }

    fn renew(&mut self, now: Moment) -> Option<Request> {
        let sent = self.send(now);
        let (Role::Leading(holding) | Role::Draining(holding, _)) = &mut self.role else {
            return None;
        };
        holding.sending(now, sent.attempt, self.bounds.validity);
        let token = holding.token;
        self.hold(Flight::Renew(sent), token)
    }

    const fn send(&mut self, now: Moment) -> Sent {
        self.attempts += 1;
        Sent { attempt: self.attempts, at: now }
    }

    fn hold(&mut self, flight: Flight, token: FencingToken) -> Option<Request> {
        let tenure = Tenure::Held { holder: self.name.clone() };
        self.swap(flight, token, self.bounds.lease, tenure)
    }

    /// Every write names the very version that is known: the one whose duration was waited out,
    /// or the one of this very term.
    fn swap(
        &mut self,
        flight: Flight,
        token: FencingToken,
        lease: u64,
        tenure: Tenure,
    ) -> Option<Request> {
        let expected = self.evidence.seen()?.clone();
        let record = Record {
            era: expected.era.clone(),
            token,
            lease_duration: Duration::from_nanos(lease),
            stamp: Some(Stamp { author: self.me, attempt: self.attempts }),
            tenure,
        };
        self.flight = Some(flight);
        Some(Request::Swap { expected, record })
    }

    /// The lease is given back, or it is not ours to give.
    fn leave(&mut self, now: Moment) {
        if let Role::Releasing(release) = self.role {
            if release.willing {
                self.out = Some(Out { since: now, token: release.token });
            }
            self.role = Role::Idle;
            self.pause = None;
            if release.again {
                self.campaign();
            }
        }
    }

    fn renewal_due(&self, holding: &Holding, now: Moment) -> u64 {
        holding.rest.map_or(0, |rest| self.bounds.retry.saturating_sub(now.age(rest)))
    }

    fn paused(&self, now: Moment) -> u64 {
        self.pause.map_or(0, |pause| self.bounds.retry.saturating_sub(now.age(pause)))
    }

    /// How long one who stepped down leaves the lease to others: until a greater token is seen.
    fn stays_out(&self, now: Moment) -> u64 {
        self.out.map_or(0, |out| {
            let another = self.evidence.record().is_some_and(|record| record.token > out.token);
            if another { 0 } else { self.bounds.stay_out().saturating_sub(now.wait(out.since)) }
        })
    }

    fn spread(&self, now: Moment) -> u64 {
        let waited = self.evidence.since().map_or(u64::MAX, |since| now.wait(since));
        self.spread.saturating_sub(waited)
    }

    /// Differs from candidate to candidate and from claim to claim; no more is asked of it.
    const fn jitter(&self) -> u64 {
        let mixed = (self.me.bits() ^ self.attempts).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        if self.bounds.spread == 0 { 0 } else { mixed % self.bounds.spread }
    }

    /// Applies `f` to every moment that is remembered. An exploration makes them relative by it.
    #[doc(hidden)]
    pub fn for_each_moment(&mut self, mut f: impl FnMut(&mut Moment)) {
        let f: &mut dyn FnMut(&mut Moment) = &mut f;
        self.evidence.for_each_moment(f);
        match &mut self.role {
            Role::Claiming(holding) | Role::Leading(holding) => holding.for_each_moment(f),
            Role::Draining(holding, drain) => {
                holding.for_each_moment(f);
                f(&mut drain.since);
            }
            Role::Idle | Role::Standby | Role::Ended(..) | Role::Releasing(_) => {}
        }
        if let Some(Flight::Claim(sent) | Flight::Renew(sent)) = &mut self.flight {
            f(&mut sent.at);
        }
        self.pause.iter_mut().chain(self.out.iter_mut().map(|out| &mut out.since)).for_each(f);
    }
}
