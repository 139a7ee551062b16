//! What the store is asked next.

use std::time::Duration;

use super::{
    event::Request,
    evidence::Verdict,
    holding::{Holding, Sent},
    kernel::Kernel,
    role::{Flight, Release, Role},
};
use crate::{FencingToken, Moment, Record, Stamp, Tenure};

impl Kernel {
    /// What the store is to be asked now.
    pub(super) fn next(&mut self, now: Moment) -> Option<Request> {
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
            _ if self.holds_back(now) > 0 => None,
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

    pub(super) fn observe(&mut self) -> Option<Request> {
        self.look = false;
        self.flight = Some(Flight::Observe);
        Some(Request::Observe)
    }

    /// Writes that nobody holds the lease, for others to wait out or to take.
    fn prepare(&mut self, tenure: Tenure) -> Option<Request> {
        self.attempts += 1;
        self.swap(Flight::Prepare, self.evidence.floor(), self.evidence.longest(), tenure)
    }

    pub(super) fn claim(&mut self, now: Moment) -> Option<Request> {
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
}
