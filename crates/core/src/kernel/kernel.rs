use std::sync::Arc;

use super::{
    event::{Bounds, End, Event, Request, View},
    evidence::Evidence,
    holding::Holding,
    role::{Drain, Flight, Out, Release, Role},
};
use crate::{FencingToken, Moment, Observation, RandomPart};

/// One candidate for one lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    pub(super) name: Arc<str>,
    pub(super) me: RandomPart,
    pub(super) bounds: Bounds,
    pub(super) evidence: Evidence,
    pub(super) role: Role,
    pub(super) flight: Option<Flight>,
    /// An observation is wanted before anything else is done.
    pub(super) look: bool,
    /// When the last request went unanswered, until the retry interval has passed.
    pub(super) pause: Option<Moment>,
    /// Counts writes over the whole life of the elector, so that each has its own number.
    pub(super) attempts: u64,
    /// The term that was given up of one's own will, until another was seen.
    pub(super) out: Option<Out>,
    /// How long the next claim is put off, because the last one was lost.
    pub(super) spread: u64,
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
        if matches!(self.role, Role::Leading(_)) && self.preferred().is_some() {
            self.drain(now, End::Resigned);
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

    /// Who is to lead rather than this candidate, if anybody is.
    pub fn preferred(&self) -> Option<&Arc<str>> {
        self.evidence.seen().and_then(|seen| self.another(seen))
    }

    /// Whom an observation prefers to this candidate.
    pub(super) fn another<'a>(&self, seen: &'a Observation) -> Option<&'a Arc<str>> {
        seen.preferred.as_ref().filter(|_| !seen.prefers(&self.name, self.me))
    }

    /// Whether a request is under way.
    pub const fn is_waiting_for_answer(&self) -> bool {
        self.flight.is_some()
    }

    /// Ends by time what time ends, before anything else is looked at.
    pub(super) fn expire(&mut self, now: Moment) {
        if let Role::Leading(holding) | Role::Draining(holding, _) = &self.role {
            let age = holding.age(now);
            if age >= self.bounds.validity {
                self.end(End::Lapsed);
            } else if age >= self.bounds.deadline {
                self.drain(now, End::Lapsed);
            }
        }
    }

    pub(super) fn campaign(&mut self) {
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
            Role::Claiming(holding) => self.release(holding.token, true, false),
            Role::Releasing(release) => {
                self.role = Role::Releasing(Release { again: false, ..*release });
            }
            _ => {}
        }
    }

    pub(super) fn drain(&mut self, now: Moment, why: End) {
        if let Role::Leading(holding) = &mut self.role {
            let holding = std::mem::replace(holding, Holding::new(FencingToken::ZERO));
            self.role = Role::Draining(holding, Drain { since: now, why });
        }
    }

    pub(super) fn end(&mut self, why: End) {
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

    pub(super) fn release(&mut self, token: FencingToken, unsure: bool, willing: bool) {
        let tries = Release::TRIES;
        self.role = Role::Releasing(Release { token, tries, unsure, willing, again: false });
    }

    /// The lease is given back, or it is not ours to give.
    pub(super) fn leave(&mut self, now: Moment) {
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
