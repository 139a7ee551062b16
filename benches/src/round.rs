use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use leasehold_testkit::Direction;
use rand::{RngExt as _, rngs::StdRng};
use rustix::process::Signal;
use serde::Serialize;

use crate::{
    Durations, Fault, History, Term,
    calendar::{Booking, Calendar},
    fault::Deed,
    group::Group,
    monotonic,
};

/// One change of leader: what was done to whom, and what came of it. Instants and durations are
/// nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// The instant just before the fault.
    pub fault_at: u64,
    /// Who led, by number.
    pub leader: usize,
    /// Its token. None of a peer that has none.
    pub token: Option<u64>,
    /// Who led next.
    pub successor: usize,
    /// The successor's token.
    pub next_token: Option<u64>,
    /// When the successor's work began.
    pub start: u64,
    /// From the fault to the successor's work.
    pub failover: i64,
    /// From the end of the lease to the successor's work. None where a contender does not tell when
    /// its requests leave.
    pub excess: Option<i64>,
    /// How long both were at work.
    pub overlap: u64,
    /// From SIGCONT until the woken leader told that its work has ended.
    pub woken_stop: Option<u64>,
    /// From when a leader that was cut off told that its work had ended until the end of its
    /// validity. None where it does not tell of that.
    pub stopped_before: Option<i64>,
}

impl Round {
    /// Whether the leader worked on, as if nothing had happened: there is no successor then, and
    /// `start` is the instant of the fault.
    pub fn was_lived_through(&self) -> bool {
        self.start == self.fault_at
    }
}

/// How rounds are made.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) fault: Fault,
    pub(crate) timing: Durations,
    /// How long a lease is waited for that nobody gives back, as far as is known: a peer may get a
    /// longer one than it asks for.
    pub(crate) wait: Duration,
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

    /// How long a round takes, for a forecast, with what has to be waited for a lease.
    pub(crate) fn forecast(fault: Fault, timing: Durations, wait: Duration) -> Duration {
        let healing = if fault.cuts() { timing.retry * 2 } else { Duration::ZERO };
        Self::SETTLE + timing.retry / 2 + Self::HANDOVER + wait + healing
    }

    /// One round: a fault at a random instant, and its consequences.
    ///
    /// # Errors
    /// No successor was found within the bound, a contender ended by itself, or the run was
    /// interrupted.
    pub(crate) async fn next(&mut self, group: &mut Group) -> Result<Round> {
        let patience = self.wait * 2 + Duration::from_secs(5);
        let (leader, booking) = self.moment(group, patience).await?;
        let fault = self.fault;
        if fault.ends_process() {
            group.expect_end(leader);
        }
        let known = group.history.terms().len();
        let fault_at = match fault.deed() {
            Deed::Signal(signal) => group.process(leader).signal(signal)?,
            Deed::Cut(direction) => {
                let at = monotonic();
                group.proxies(leader)?.black_hole(direction);
                at
            }
            Deed::Restart => bail!("a store is not restarted for one lease alone"),
        };
        if fault == Fault::Crash {
            group.history.killed(leader, fault_at);
        }
        let past = Past { leader, known, fault_at };
        let (next, _booking) = self.successor(group, booking, &past, patience).await?;
        let next = next.with_context(|| {
            format!(
                "{fault}: no successor within {patience:?} of the fault; {}",
                group.complaints()
            )
        })?;
        // Healed, what was held arrives, too late for this.
        let arrived = past.arrived(group);
        let (mut woken_stop, mut stopped_before) = (None, None);
        match fault.deed() {
            Deed::Signal(_) if fault.ends_process() => group.replace(leader).await?,
            Deed::Signal(Signal::STOP) => {
                let woken = group.process(leader).signal(Signal::CONT)?;
                let stop = self.stopped(group, &past, patience).await?;
                woken_stop = Some(stop.saturating_sub(woken));
            }
            Deed::Restart => {}
            Deed::Signal(_) => drop(self.stopped(group, &past, patience).await?),
            Deed::Cut(_) => {
                group.proxies(leader)?.heal();
                let stop = self.stopped(group, &past, patience).await?;
                let until = past.term(group).and_then(|term| term.until);
                stopped_before = until.map(|until| between(stop, until));
                // For it to be a standby again that follows what happens.
                group.listen(self.timing.retry * 2).await?;
            }
        }
        group.settled(patience).await?;
        let mut round = past.round(group, self.timing, next, arrived);
        (round.woken_stop, round.stopped_before) = (woken_stop, stopped_before);
        Ok(round)
    }

    /// Waits for a random instant that no other lease needs, at which somebody leads.
    async fn moment(&mut self, group: &mut Group, patience: Duration) -> Result<(usize, Booking)> {
        loop {
            group.settled(patience).await?;
            // Uniform over one interval: it falls anywhere between two renewals.
            let phase = self.timing.retry.mul_f64(self.rng.random_range(0.0..1.0));
            group.listen(Self::SETTLE + phase).await?;
            let booking = if self.fault == Fault::Freeze || self.fault.cuts() {
                self.lease_end(group)
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
        past: &Past,
        patience: Duration,
    ) -> Result<(Option<usize>, Booking)> {
        let known = past.known;
        let find = |group: &Group| (group.history.terms().len() > known).then_some(known);
        let waits = self.fault == Fault::Freeze || self.fault.cuts();
        let soon = if waits { Duration::from_millis(2) } else { Self::HANDOVER };
        let deadline = Instant::now() + patience;
        loop {
            if let Some(next) = group.until(soon, find).await? {
                return Ok((Some(next), booking));
            }
            // It has to wait for the end of the lease: others may go on until then.
            if let Some(last) = past.last_request(group, past.arrived(group)) {
                let end = last + self.wait.as_nanos() as u64;
                booking.move_to(end - Self::BEFORE_END, end + Self::AFTER_END);
            }
            // Who is only not answered goes on prolonging it for a while.
            let told = past.sendings(group);
            let news = |group: &Group| {
                (find(group).is_some() || past.sendings(group) != told).then_some(())
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if group.until(left, news).await?.is_none() {
                return Ok((None, booking));
            }
        }
    }

    /// Waits until the former leader has told that its work ended; says when it told so.
    async fn stopped(&self, group: &mut Group, past: &Past, patience: Duration) -> Result<u64> {
        let stop = |group: &Group| past.term(group).and_then(|term| term.end);
        group.until(patience, stop).await?.with_context(|| {
            format!("{}: the former leader did not stop within {patience:?}", self.fault)
        })
    }

    /// When the lease ends if its holder does nothing more, as far as is known.
    fn lease_end(&self, group: &Group) -> Option<u64> {
        let leader = group.leader()?;
        let term = group.history.terms().iter().rev().find(|term| term.who == leader)?;
        let from = term.last_sending().unwrap_or_else(monotonic);
        // Its next request will arrive still.
        let arrives = self.fault == Fault::PartitionReplies;
        let more = if arrives { self.timing.retry } else { Duration::ZERO };
        Some(from + (self.wait + more).as_nanos() as u64)
    }
}

/// What there was when a fault was done.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) leader: usize,
    /// How many terms had been told of.
    pub(crate) known: usize,
    pub(crate) fault_at: u64,
}

impl Past {
    /// When a fault was done to whoever led then; a change before it, heard of however late, is none
    /// of its consequences. None where nobody had led.
    pub(crate) fn at(history: &History, fault_at: u64) -> Option<Self> {
        let last = history.terms().iter().rposition(|term| term.start <= fault_at)?;
        Some(Self { leader: history.terms()[last].who, known: last + 1, fault_at })
    }

    /// What came of it, with the term that was next.
    pub(crate) fn round(
        &self,
        group: &Group,
        timing: Durations,
        next: usize,
        arrived: Option<u64>,
    ) -> Round {
        let successor = &group.history.terms()[next];
        let earlier = self.term(group);
        // What a woken leader sends when another leads already prolongs nothing.
        let arrived = arrived.unwrap_or(u64::MAX);
        let lease = timing.lease.as_nanos() as i64;
        Round {
            fault_at: self.fault_at,
            leader: self.leader,
            token: earlier.and_then(|term| term.token),
            successor: successor.who,
            next_token: successor.token,
            start: successor.start,
            failover: between(self.fault_at, successor.start),
            excess: self
                .last_request(group, Some(arrived.min(successor.start)))
                .map(|sending| between(sending, successor.start) - lease),
            overlap: earlier.and_then(|term| term.last).map_or(0, |last| successor.beside(last)),
            woken_stop: None,
            stopped_before: None,
        }
    }

    /// The leader's term.
    pub(crate) fn term<'a>(&self, group: &'a Group) -> Option<&'a Term> {
        group.history.terms()[..self.known].iter().rev().find(|term| term.who == self.leader)
    }

    pub(crate) fn sendings(&self, group: &Group) -> usize {
        self.term(group).map_or(0, |term| term.sendings.len())
    }

    /// When anything that the leader sent last got through, where it has a proxy that knows.
    fn arrived(&self, group: &Group) -> Option<u64> {
        let ago = group.proxies(self.leader).ok()?.last_carried(Direction::Requests)?;
        Some(monotonic().saturating_sub(ago))
    }

    /// When the last request left that may have prolonged the lease: without a proxy the last one,
    /// whether it was confirmed or not; with one the last that got through.
    fn last_request(&self, group: &Group, arrived: Option<u64>) -> Option<u64> {
        let sendings = &self.term(group)?.sendings;
        let may_count = |sending: &&u64| arrived.is_none_or(|arrived| **sending <= arrived);
        sendings.iter().rev().find(may_count).copied()
    }
}

fn between(from: u64, to: u64) -> i64 {
    // Both are of this host's clock since its boot.
    to.cast_signed() - from.cast_signed()
}
