mod share;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;

use crate::{Durations, Fault, Options, group::Cast, program::Program, store::Store};
use share::{Share, cast, lease_name, load};

/// What will be done on one store.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What is measured: ours, and then its peers. Each fault is done to all of them side by side, so
    /// that they meet the same machine and the same store.
    pub(crate) programs: Vec<Arc<Program>>,
    /// One after the other.
    pub(crate) phases: Vec<Phase>,
    /// The leases of the floor, and whether their holder is killed.
    pub(crate) floors: Vec<(&'static str, bool)>,
    /// Which faults cannot be done on this store, and why.
    left_out: Vec<String>,
}

/// What is measured side by side.
#[derive(Debug)]
pub(crate) struct Phase {
    /// In a few words, for people.
    pub(crate) name: String,
    pub(crate) act: Act,
    /// How long it will take, about.
    pub(crate) forecast: Duration,
}

/// What is done in a phase.
#[derive(Debug)]
pub(crate) enum Act {
    /// To leaders, each of which has a lease.
    Faults(Vec<PlannedLease>),
    /// To the store, and so to all of them at once, so often.
    Restarts(Vec<PlannedLease>, usize),
    /// Nothing: what the store is asked for is counted, for so long each, one after the other.
    Requests(Vec<Cast>, Duration),
}

/// One lease, and the faults that its leaders meet.
#[derive(Clone, Debug)]
pub(crate) struct PlannedLease {
    pub(crate) cast: Cast,
    pub(crate) fault: Fault,
    pub(crate) rounds: usize,
    /// The timing is the program's own, by its documentation.
    pub(crate) defaults: bool,
}

impl Plan {
    /// Rounds that wait out a lease are spread over as many leases side by side, that a fault takes
    /// no longer than this. Waiting costs next to nothing, and no two ever change hands at once.
    const LONGEST: Duration = Duration::from_secs(35);
    /// Who is in a hurry has more processes for fewer rounds.
    const LONGEST_QUICK: Duration = Duration::from_secs(7);
    /// The leases of one fault at most: all programs share them.
    const SIDE_BY_SIDE: usize = 5;
    /// Whoever renews as rarely as this, or more so, costs the store next to nothing.
    const RARELY: Duration = Duration::from_secs(1);

    pub(crate) fn new(
        options: &Options,
        store: &Store,
        programs: Vec<Arc<Program>>,
    ) -> Result<Self> {
        let mut plan = Self { programs, ..Self::default() };
        let no_link = store.link("partition").err();
        let why_not = |fault: &Fault| match fault {
            Fault::StoreRestart => store.no_restart.as_deref(),
            fault if fault.cuts() => no_link.as_deref(),
            _ => None,
        };
        let mut impossible = BTreeMap::<&str, BTreeSet<Fault>>::new();
        for timing in options.timings() {
            let mut faults = options.faults_at(timing);
            for fault in &faults {
                if let Some(why) = why_not(fault) {
                    impossible.entry(why).or_default().insert(*fault);
                }
            }
            faults.retain(|fault| why_not(fault).is_none());
            plan.add_timing(&faults, timing, options, store)?;
        }
        plan.add_defaults(options, store)?;
        for (why, faults) in impossible {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            plan.left_out.push(format!("{}: no {}: {why}", store.name, faults.join(", ")));
        }
        if !options.no_floor && plan.phases.iter().any(|phase| matches!(phase.act, Act::Faults(_)))
        {
            plan.floors.push(("floor-handover", false));
            if store.proves_death {
                plan.floors.push(("floor-crash", true));
            }
        }
        Ok(plan)
    }

    /// Which faults cannot be done, and why.
    pub(crate) fn left_out(&self) -> Option<String> {
        (!self.left_out.is_empty()).then(|| self.left_out.join("; "))
    }

    /// How long it will take, about.
    pub(crate) fn forecast(&self) -> Duration {
        self.phases.iter().map(|phase| phase.forecast).sum()
    }

    /// Everything at one timing: what is done to leaders, then to their links, then to the store, and
    /// then nothing.
    fn add_timing(
        &mut self,
        faults: &[Fault],
        timing: Durations,
        options: &Options,
        store: &Store,
    ) -> Result<()> {
        let programs = self.programs.clone();
        // The faults of the link apart: they go by way of proxies.
        for of_the_link in [false, true] {
            let these: Vec<_> = faults
                .iter()
                .copied()
                .filter(|fault| *fault != Fault::StoreRestart && fault.cuts() == of_the_link)
                .collect();
            let shares = these.iter().flat_map(|fault| {
                programs.iter().map(|program| Share {
                    program,
                    fault: *fault,
                    timing,
                    rounds: options.rounds_at(timing, program.is_peer),
                    defaults: false,
                })
            });
            self.add_shares(shares.collect(), options, store)?;
        }
        if faults.is_empty() {
            return Ok(());
        }
        let name = |what: &str| format!("{timing}: {what}");
        if faults.contains(&Fault::StoreRestart) {
            let rounds = options.restarts_at(timing);
            let leases = programs.iter().map(|program| {
                let fault = Fault::StoreRestart;
                let share = Share { program, fault, timing, rounds, defaults: false };
                share.lease(0, rounds, options, store)
            });
            let leases: Vec<_> = leases.collect::<Result<_>>()?;
            let longest = leases.iter().map(|lease| lease.cast.wait).max().unwrap_or_default();
            let each = store.away + longest.mul_f64(1.5) + timing.retry + Duration::from_secs(1);
            let forecast = Self::start(&leases) + each * rounds as u32;
            let act = Act::Restarts(leases, rounds);
            self.phases.push(Phase { name: name("store-restart"), act, forecast });
        }
        if store.counts_requests && !options.no_requests {
            let long = if options.quick { 2 } else { 10 };
            // Whole renewals, and whole rounds of what a server does by itself.
            let each = Duration::from_secs(long) * if timing.retry >= Self::RARELY { 2 } else { 1 };
            let casts = programs.iter().map(|program| {
                let name = lease_name("quiet", timing, program, 0);
                cast(program, name, timing, None, options, store)
            });
            let casts: Vec<_> = casts.collect::<Result<_>>()?;
            let start: Duration =
                casts.iter().map(|cast| cast.wait + Duration::from_millis(700)).sum();
            let forecast = start + each * (casts.len() as u32 + 1);
            let act = Act::Requests(casts, each);
            self.phases.push(Phase { name: name("what the store is asked for"), act, forecast });
        }
        Ok(())
    }

    /// What peers have as defaults, where nothing else was asked for, and they are not measured at
    /// these anyway.
    fn add_defaults(&mut self, options: &Options, store: &Store) -> Result<()> {
        const FAULTS: [Fault; 3] = [Fault::Resign, Fault::Crash, Fault::Freeze];
        if options.quick || !options.timing.is_empty() {
            return Ok(());
        }
        let programs = self.programs.clone();
        let mut shares = Vec::new();
        for program in &programs {
            let defaults = program.defaults.filter(|at| !options.timings().contains(at));
            let Some(timing) = defaults else { continue };
            for fault in options.faults_at(timing).into_iter().filter(|at| FAULTS.contains(at)) {
                let rounds = options.rounds_at(timing, true);
                shares.push(Share { program, fault, timing, rounds, defaults: true });
            }
        }
        self.add_shares(shares, options, store)
    }

    /// Packs them into phases, none of which has more than the store takes without being felt. All of
    /// one fault at one timing are in one phase, for they are to be compared.
    fn add_shares(
        &mut self,
        shares: Vec<Share<'_>>,
        options: &Options,
        store: &Store,
    ) -> Result<()> {
        let mut phase = Vec::new();
        let mut longest = Duration::ZERO;
        let same = |a: &Share<'_>, b: &Share<'_>| {
            (a.fault, a.timing, a.defaults) == (b.fault, b.timing, b.defaults)
        };
        for shares in shares.chunk_by(same) {
            let mut leases = Vec::new();
            let mut takes = Duration::ZERO;
            for share in shares {
                let (more, time) = share.leases(self.programs.len(), options, store)?;
                leases.extend(more);
                takes = takes.max(time);
            }
            if !phase.is_empty() && load(&phase) + load(&leases) > store.side_by_side {
                self.add_faults(std::mem::take(&mut phase), longest);
                longest = Duration::ZERO;
            }
            phase.extend(leases);
            longest = longest.max(takes);
        }
        self.add_faults(phase, longest);
        Ok(())
    }

    fn add_faults(&mut self, leases: Vec<PlannedLease>, takes: Duration) {
        if leases.is_empty() {
            return;
        }
        let mut what: Vec<(String, Vec<&str>)> = Vec::new();
        for PlannedLease { cast, fault, defaults, .. } in &leases {
            let of = if *defaults { format!(" ({})", cast.program.name) } else { String::new() };
            let at = format!("{}{of}", cast.timing);
            match what.last_mut().filter(|(last, _)| *last == at) {
                Some((_, faults)) if faults.last() == Some(&fault.as_str()) => {}
                Some((_, faults)) => faults.push(fault.as_str()),
                None => what.push((at, vec![fault.as_str()])),
            }
        }
        let what = what.iter().map(|(at, faults)| format!("{at}: {}", faults.join(", ")));
        let name = what.collect::<Vec<_>>().join("; ");
        let forecast = Self::start(&leases) + takes;
        self.phases.push(Phase { name, act: Act::Faults(leases), forecast });
    }

    /// Until the last of them has a leader.
    fn start(leases: &[PlannedLease]) -> Duration {
        let longest = leases.iter().map(|lease| lease.cast.wait).max();
        let processes = leases.iter().map(|lease| lease.cast.contenders).sum::<usize>();
        longest.unwrap_or_default() + Duration::from_millis(500 + 30 * processes as u64)
    }
}

impl Phase {
    /// How many rounds there will be.
    pub(crate) fn rounds(&self) -> usize {
        match &self.act {
            Act::Faults(leases) => leases.iter().map(|lease| lease.rounds).sum(),
            Act::Restarts(_, rounds) => *rounds,
            Act::Requests(casts, _) => casts.len() + 1,
        }
    }
}

#[cfg(test)]
mod tests;
