//! When something is due.

use super::{evidence::Verdict, holding::Holding, kernel::Kernel, role::Role};
use crate::{Moment, Tenure};

impl Kernel {
    /// In how many nanoseconds a [`Event::Timer`](super::Event::Timer) will have something to do, if nothing else
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

    pub(super) fn next_action(&self, now: Moment) -> Option<u64> {
        let pause = self.paused(now);
        let rest = match &self.role {
            Role::Idle | Role::Ended(..) => return None,
            Role::Standby if self.look => 0,
            Role::Standby => match self.evidence.verdict(now) {
                Verdict::Look | Verdict::Mark => 0,
                Verdict::Wait(rest) => rest.max(self.stays_out(now)),
                Verdict::Clear | Verdict::Claim(_) => self.holds_back(now),
                Verdict::Exhausted => return None,
            },
            Role::Draining(_, drain) if now.age(drain.since) >= self.bounds.drain => return None,
            Role::Leading(holding) | Role::Draining(holding, _) => self.renewal_due(holding, now),
            Role::Claiming(_) | Role::Releasing(_) => 0,
        };
        Some(rest.max(pause))
    }

    pub(super) fn renewal_due(&self, holding: &Holding, now: Moment) -> u64 {
        holding.rest.map_or(0, |rest| self.bounds.retry.saturating_sub(now.age(rest)))
    }

    pub(super) fn paused(&self, now: Moment) -> u64 {
        self.pause.map_or(0, |pause| self.bounds.retry.saturating_sub(now.age(pause)))
    }

    /// How long a lease that may be taken is left alone all the same.
    pub(super) fn holds_back(&self, now: Moment) -> u64 {
        self.stays_out(now).max(self.spread(now)).max(self.defers(now))
    }

    /// How long what is free is left to whom it is meant for.
    fn defers(&self, now: Moment) -> u64 {
        let free = self.evidence.record().is_some_and(|record| record.tenure == Tenure::Free);
        let since = self.evidence.since().filter(|_| free && self.preferred().is_some());
        since.map_or(0, |since| self.bounds.lease.saturating_sub(now.wait(since)))
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
    pub(super) const fn jitter(&self) -> u64 {
        let mixed = (self.me.bits() ^ self.attempts).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        if self.bounds.spread == 0 { 0 } else { mixed % self.bounds.spread }
    }
}
