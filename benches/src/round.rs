use std::time::Duration;

use anyhow::{Context, Result};
use rand::{RngExt as _, rngs::StdRng};
use rustix::process::Signal;
use serde::Serialize;

use crate::{
    Durations, Fault,
    calendar::{Booking, Calendar},
    group::Group,
    monotonic,
};

/// One change of leader: what was done to whom, and what came of it. Instants and durations are
/// nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Round {
    /// The instant just before the fault.
    pub(crate) fault_at: u64,
    /// Who led, by number.
    pub(crate) leader: usize,
    /// Its token.
    pub(crate) token: u64,
    /// Who led next.
    pub(crate) successor: usize,
    /// The successor's token.
    pub(crate) next_token: u64,
    /// When the successor's work began.
    pub(crate) start: u64,
    /// From the fault to the successor's work.
    pub(crate) failover: i64,
    /// From the end of the lease to the successor's work. None where a contender does not tell when
    /// its requests leave.
    pub(crate) excess: Option<i64>,
    /// How long both were at work.
    pub(crate) overlap: u64,
    /// From SIGCONT until the woken leader told that its work has ended.
    pub(crate) woken_stop: Option<u64>,
}

/// How rounds are made.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) fault: Fault,
    pub(crate) timing: Durations,
    pub(crate) calendar: Calendar,
    pub(crate) rng: StdRng,
}

impl Rounds {
    /// What a handover that need not wait takes at most, with the restart of the process.
    const HANDOVER: Duration = Duration::from_millis(30);
    /// Before and after the end of a lease.
    const BEFORE_END: u64 = 10_000_000;
    const AFTER_END: u64 = 30_000_000;
    /// For the standbys to have seen who leads.
    const SETTLE: Duration = Duration::from_millis(30);

    /// How long a round takes, for a forecast.
    pub(crate) fn forecast(fault: Fault, timing: Durations, proves_death: bool) -> Duration {
        let wait = if fault.waits_for_lease(proves_death) { timing.lease } else { Duration::ZERO };
        Self::SETTLE + timing.retry / 2 + Self::HANDOVER + wait
    }

    /// One round: a fault at a random instant, and its consequences.
    ///
    /// # Errors
    /// No successor was found within the bound, a contender ended by itself, or the run was
    /// interrupted.
    pub(crate) async fn next(&mut self, group: &mut Group) -> Result<Round> {
        let patience = self.timing.lease * 2 + Duration::from_secs(5);
        let (leader, booking) = self.moment(group, patience).await?;
        let fault = self.fault;
        if fault.ends_process() {
            group.expect_end(leader);
        }
        let known = group.history.terms().len();
        let fault_at = group.process(leader).signal(fault.signal())?;
        if fault == Fault::Crash {
            group.history.killed(leader, fault_at);
        }
        let (next, _booking) = self.successor(group, booking, leader, known, patience).await?;
        let next = next.with_context(|| {
            format!("{fault}: no successor within {patience:?} of the fault; {}", group.oddities())
        })?;
        let woken_stop = match fault {
            Fault::Resign | Fault::Crash => {
                group.replace(leader).await?;
                None
            }
            Fault::StepDown => {
                self.stopped(group, leader, known, patience).await?;
                None
            }
            Fault::Freeze => {
                let woken = group.process(leader).signal(Signal::CONT)?;
                let stop = self.stopped(group, leader, known, patience).await?;
                Some(stop.saturating_sub(woken))
            }
        };
        group.settled(patience).await?;
        Ok(self.measured(group, fault_at, leader, next, woken_stop))
    }

    /// Waits for a random instant that no other lease needs, at which somebody leads.
    async fn moment(&mut self, group: &mut Group, patience: Duration) -> Result<(usize, Booking)> {
        loop {
            group.settled(patience).await?;
            // Uniform over one interval: it falls anywhere between two renewals.
            let phase = self.timing.retry.mul_f64(self.rng.random_range(0.0..1.0));
            group.listen(Self::SETTLE + phase).await?;
            let booking = if self.fault == Fault::Freeze {
                lease_end(group, self.timing)
                    .and_then(|end| self.calendar.at(end - Self::BEFORE_END, end + Self::AFTER_END))
            } else {
                let booking = self.calendar.now(Self::HANDOVER).await;
                group.listen(Duration::ZERO).await?;
                Some(booking)
            };
            // The leader may have changed by itself meanwhile; then once more.
            if let (Some(booking), Some(leader)) = (booking, group.leader()) {
                return Ok((leader, booking));
            }
        }
    }

    /// Listens for the next term, with the time booked in which it begins.
    async fn successor(
        &self,
        group: &mut Group,
        booking: Booking,
        leader: usize,
        known: usize,
        patience: Duration,
    ) -> Result<(Option<usize>, Booking)> {
        let find = |group: &Group| (group.history.terms().len() > known).then_some(known);
        let soon =
            if self.fault == Fault::Freeze { Duration::from_millis(2) } else { Self::HANDOVER };
        if let Some(next) = group.until(soon, find).await? {
            return Ok((Some(next), booking));
        }
        // It has to wait for the end of the lease: others may go on until then.
        let sending = group.history.terms()[..known].iter().rev().find(|term| term.who == leader);
        if let Some(sending) = sending.and_then(|term| term.sending) {
            let end = sending + self.timing.lease.as_nanos() as u64;
            booking.move_to(end - Self::BEFORE_END, end + Self::AFTER_END);
        }
        Ok((group.until(patience, find).await?, booking))
    }

    /// Waits until the former leader has told that its work ended; says when it told so.
    async fn stopped(
        &self,
        group: &mut Group,
        leader: usize,
        known: usize,
        patience: Duration,
    ) -> Result<u64> {
        let stop = |group: &Group| {
            let terms = &group.history.terms()[..known];
            terms.iter().rev().find(|term| term.who == leader).and_then(|term| term.end)
        };
        group.until(patience, stop).await?.with_context(|| {
            format!("{}: the former leader did not stop within {patience:?}", self.fault)
        })
    }

    fn measured(
        &self,
        group: &Group,
        fault_at: u64,
        leader: usize,
        next: usize,
        woken_stop: Option<u64>,
    ) -> Round {
        let terms = group.history.terms();
        let successor = &terms[next];
        let earlier = terms[..next].iter().rev().find(|term| term.who == leader);
        let lease = self.timing.lease.as_nanos() as i64;
        Round {
            fault_at,
            leader,
            token: earlier.map_or(0, |term| term.token),
            successor: successor.who,
            next_token: successor.token,
            start: successor.start,
            failover: between(fault_at, successor.start),
            excess: earlier
                .and_then(|term| term.sending)
                .map(|sending| between(sending, successor.start) - lease),
            overlap: earlier
                .and_then(|term| term.last)
                .map_or(0, |last| last.saturating_sub(successor.start)),
            woken_stop,
        }
    }
}

/// When the lease ends if its holder does nothing more, as far as is known.
fn lease_end(group: &Group, timing: Durations) -> Option<u64> {
    let leader = group.leader()?;
    let term = group.history.terms().iter().rev().find(|term| term.who == leader)?;
    let from = term.sending.unwrap_or_else(monotonic);
    Some(from + timing.lease.as_nanos() as u64)
}

fn between(from: u64, to: u64) -> i64 {
    // Both are of this host's clock since its boot.
    to.cast_signed() - from.cast_signed()
}
