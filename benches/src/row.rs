use serde::Serialize;

use crate::{
    Distribution, Durations, Fault, Goal, Overlap, Term,
    floor::Floor,
    goal::{Measure, Verdict},
    group::Group,
    plan::PlannedLease,
    round::Round,
    store::Kind,
};

/// What a row is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The kind of store.
    pub store: String,
    /// What is measured.
    pub program: String,
    /// It is no program of ours.
    pub is_peer: bool,
    /// Whose settings it has: `equal`, as everybody at this timing, or a peer's own `defaults`.
    pub settings: String,
    /// What is done to the leader.
    pub fault: Fault,
    /// The contenders' timing.
    pub timing: Durations,
}

/// One fault to one program at one timing: everything that was measured of it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The kind of store.
    pub store: String,
    /// What was measured.
    pub program: String,
    /// It is no program of ours: it has no goal here, and what happened to it is no failure of the
    /// run.
    pub is_peer: bool,
    /// What was done to the leader.
    pub fault: Fault,
    /// The contenders' timing.
    pub timing: Durations,
    /// Whose settings these are: `equal`, as everybody's at this timing, or a peer's own
    /// `defaults`.
    pub settings: String,
    /// How many rounds there were to be: there are fewer where something ended them before.
    pub planned: usize,
    /// What the store was asked for in a second, by all contenders of a lease, while nobody was
    /// replaced. None where it cannot be counted.
    pub requests_per_second: Option<f64>,
    /// From the fault to the successor's work.
    pub failover: Distribution,
    /// From the end of the lease to the successor's work.
    pub excess: Distribution,
    /// From the waking of a frozen leader until it told that its work had ended.
    pub woken_stop: Distribution,
    /// From when a leader that was cut off told that its work had ended until the end of its
    /// validity.
    pub stopped_before: Distribution,
    /// What the failover (for a freeze: the excess) is compared with: bare steps of it, or for a
    /// restart of the store how long that was away, from the kill until it answered again.
    pub floor: Option<Distribution>,
    /// What had to be reached.
    pub goal: Option<Goal>,
    /// Whether it was.
    pub verdict: Option<Verdict>,
    /// Two at work at once: there must be none.
    pub overlaps: Vec<Overlap>,
    /// Tokens that did not grow: there must be none.
    pub stale_tokens: Vec<(u64, u64)>,
    /// What ended a lease's rounds before their time.
    pub troubles: Vec<String>,
    /// Changes of leader that nobody had asked for.
    pub unplanned: usize,
    /// Lines of contenders that made no sense.
    pub odd_lines: Vec<String>,
    /// The leases on which it was measured.
    pub leases: Vec<Lease>,
}

/// One lease of a run: its rounds, and who led when.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Lease {
    /// What it is called.
    pub name: String,
    /// How many rounds there were to be.
    pub planned: usize,
    /// What was done, and what came of it.
    pub rounds: Vec<Round>,
    /// Who led when.
    pub terms: Vec<Term>,
    /// Two at work at once.
    pub overlaps: Vec<Overlap>,
    /// Tokens that did not grow.
    pub stale_tokens: Vec<(u64, u64)>,
    /// What ended its rounds before their time.
    pub trouble: Option<String>,
    /// Lines that made no sense.
    pub odd: Vec<String>,
}

impl Row {
    /// Of these leases, next to this floor.
    pub fn new(subject: Subject, floor: Option<Distribution>, leases: Vec<Lease>) -> Self {
        let rounds = || leases.iter().flat_map(|lease| &lease.rounds);
        let Subject { store, program, is_peer, settings, fault, timing } = subject;
        let goal = if is_peer { None } else { Goal::of(&store, fault) };
        let mut row = Self {
            store,
            program,
            is_peer,
            fault,
            timing,
            settings,
            planned: leases.iter().map(|lease| lease.planned).sum(),
            requests_per_second: None,
            failover: rounds().map(|round| round.failover).collect(),
            excess: rounds().filter_map(|round| round.excess).collect(),
            woken_stop: rounds()
                .filter_map(|round| round.woken_stop)
                .map(u64::cast_signed)
                .collect(),
            stopped_before: rounds().filter_map(|round| round.stopped_before).collect(),
            floor,
            goal,
            verdict: None,
            overlaps: leases.iter().flat_map(|lease| lease.overlaps.clone()).collect(),
            stale_tokens: leases.iter().flat_map(|lease| lease.stale_tokens.clone()).collect(),
            troubles: leases.iter().filter_map(|lease| lease.trouble.clone()).collect(),
            unplanned: leases.iter().map(Lease::unplanned).sum(),
            odd_lines: leases.iter().flat_map(|lease| lease.odd.clone()).collect(),
            leases,
        };
        row.verdict = goal.map(|goal| goal.verdict(row.of(goal.measure), row.floor.as_ref()));
        row
    }

    /// What is compared with the floor: where the lease has to be waited out, that wait is no
    /// merit and no fault of anybody's.
    pub fn compared(&self) -> &Distribution {
        self.of(self.measure())
    }

    /// What was measured of it.
    pub fn of(&self, measure: Measure) -> &Distribution {
        match measure {
            Measure::Failover => &self.failover,
            Measure::Excess => &self.excess,
        }
    }

    /// Which of the two that is, whatever came out.
    pub fn measure(&self) -> Measure {
        if self.waits_for_lease() { Measure::Excess } else { Measure::Failover }
    }

    /// Whether the successor has to wait for the end of the lease: that a death is proven is of use to
    /// ours alone.
    pub(crate) fn waits_for_lease(&self) -> bool {
        self.fault.waits_for_lease(Kind::proves_death(&self.store) && !self.is_peer)
    }

    /// How many terms were looked through for two at work at once.
    pub fn terms(&self) -> usize {
        self.leases.iter().map(|lease| lease.terms.len()).sum()
    }

    /// For how long two were at work at once, all in all.
    pub fn total_overlap(&self) -> u64 {
        self.overlaps.iter().map(|overlap| overlap.nanos).sum()
    }

    /// The longest time for which two were at work at once.
    pub fn worst_overlap(&self) -> u64 {
        self.overlaps.iter().map(|overlap| overlap.nanos).max().unwrap_or(0)
    }

    /// How many rounds there are, and where there were to be more, of how many.
    pub(crate) fn counted(&self) -> String {
        match self.failover.n() {
            n if n < self.planned => format!("{n} of {}", self.planned),
            n => n.to_string(),
        }
    }

    /// Whether something happened that must not happen to us.
    pub fn is_violated(&self) -> bool {
        let fine =
            self.overlaps.is_empty() && self.stale_tokens.is_empty() && self.troubles.is_empty();
        !(fine || self.is_peer)
    }
}

impl Lease {
    /// One on which nothing was measured yet.
    pub(crate) fn planned(planned: &PlannedLease) -> Self {
        Self { name: planned.cast.name.clone(), planned: planned.rounds, ..Self::default() }
    }

    /// All its rounds are done, or as many as there will be: those who campaigned disperse, and what they
    /// told is kept.
    pub(crate) async fn close(&mut self, mut group: Group) {
        group.disperse().await;
        self.overlaps = group.history.overlaps();
        self.stale_tokens = group.history.stale_tokens();
        self.odd = std::mem::take(&mut group.odd);
        self.terms = group.history.into_terms();
    }

    /// The first term is nobody's failure, and each round asks for one more; the ends of all at the
    /// end of the run may make a few that come after the last round.
    fn unplanned(&self) -> usize {
        let Some(last) = self.rounds.last() else { return 0 };
        let until_then = self.terms.iter().filter(|term| term.start <= last.start).count();
        let changes = self.rounds.iter().filter(|round| !round.was_lived_through()).count();
        until_then.saturating_sub(1 + changes)
    }
}

impl Subject {
    pub(crate) fn of(store: &str, planned: &PlannedLease) -> Self {
        Self {
            store: store.to_owned(),
            program: planned.cast.program.name.clone(),
            is_peer: planned.cast.program.is_peer,
            settings: if planned.defaults { "defaults" } else { "equal" }.into(),
            fault: planned.fault,
            timing: planned.cast.timing,
        }
    }
}

impl Floor {
    /// What there is to compare a fault with.
    pub(crate) fn of(&self, fault: Fault) -> Option<&Distribution> {
        let floor = match fault {
            Fault::Resign | Fault::StepDown => &self.handover,
            Fault::Crash if self.crash.n() > 0 => &self.crash,
            // It is compared with how long the store was away.
            Fault::StoreRestart => return None,
            Fault::Crash
            | Fault::Freeze
            | Fault::Partition
            | Fault::PartitionRequests
            | Fault::PartitionReplies => &self.acquisition,
        };
        (floor.n() > 0).then_some(floor)
    }
}

#[cfg(test)]
mod tests;
