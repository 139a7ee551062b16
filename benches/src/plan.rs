use std::{sync::Arc, time::Duration};

use anyhow::Result;

use crate::{
    Durations, Fault, Options,
    program::Program,
    round::Rounds,
    store::{Link, Store},
};

/// What will be done on one store.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What is measured: ours, and then its peers. Each fault is done to all of them side by side, so
    /// that they meet the same machine and the same store.
    pub(crate) programs: Vec<Arc<Program>>,
    /// The leases that are measured side by side, one phase after the other.
    pub(crate) phases: Vec<Vec<PlannedLease>>,
    /// The leases of the floor, and whether their holder is killed.
    pub(crate) floors: Vec<(&'static str, bool)>,
    /// How long it will take, about.
    pub(crate) forecast: Duration,
    /// Which faults cannot be done on this store, and why.
    pub(crate) left_out: Option<String>,
}

/// One lease, and the faults that its leaders meet.
#[derive(Clone, Debug)]
pub(crate) struct PlannedLease {
    pub(crate) program: Arc<Program>,
    pub(crate) name: String,
    pub(crate) url: String,
    /// Where the fault is one of the link.
    pub(crate) link: Option<Link>,
    pub(crate) fault: Fault,
    pub(crate) timing: Durations,
    /// How long a lease is waited for that nobody gives back.
    pub(crate) wait: Duration,
    pub(crate) rounds: usize,
}

impl Plan {
    /// Rounds that wait out a lease are spread over as many leases side by side, that a fault takes
    /// no longer than this. Waiting costs next to nothing, and no two ever change hands at once.
    const LONGEST: Duration = Duration::from_secs(35);
    /// Who is in a hurry has more processes for fewer rounds.
    const LONGEST_QUICK: Duration = Duration::from_secs(7);
    /// More processes than those of so many leases would be felt: all programs share them.
    const SIDE_BY_SIDE: usize = 5;

    pub(crate) fn new(
        options: &Options,
        store: &Store,
        programs: Vec<Arc<Program>>,
    ) -> Result<Self> {
        let mut faults = options.faults.clone();
        faults.sort_unstable();
        faults.dedup();
        let (cuts, others): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.cuts());
        let mut plan = Self { programs, ..Self::default() };
        // The faults of the link apart, so that there are never so many processes that they are felt.
        plan.add_phase(&others, options, store)?;
        if !cuts.is_empty() {
            match store.link("partition") {
                Ok(_) => plan.add_phase(&cuts, options, store)?,
                Err(why) => {
                    let names: Vec<_> = cuts.iter().map(ToString::to_string).collect();
                    plan.left_out = Some(format!("{}: no {}: {why}", store.name, names.join(", ")));
                }
            }
        }
        if !options.no_floor && !plan.phases.is_empty() {
            plan.floors.push(("floor-handover", false));
            if store.proves_death {
                plan.floors.push(("floor-crash", true));
            }
        }
        Ok(plan)
    }

    /// How many rounds there will be, those of the floor among them.
    pub(crate) fn rounds(&self, options: &Options) -> usize {
        let leases = self.phases.iter().flatten();
        leases.map(|lease| lease.rounds).sum::<usize>() + self.floors.len() * options.rounds()
    }

    fn add_phase(&mut self, faults: &[Fault], options: &Options, store: &Store) -> Result<()> {
        let mut phase = Vec::new();
        let mut forecast = Duration::ZERO;
        for timing in &options.timing {
            for fault in faults {
                for program in &self.programs {
                    let (leases, takes) = self.share(*fault, *timing, program, options, store)?;
                    forecast = forecast.max(takes);
                    phase.extend(leases);
                }
            }
        }
        if !phase.is_empty() {
            // Until the first of them lead.
            let longest = options.timing.iter().map(|timing| timing.lease).max();
            self.forecast += forecast + longest.unwrap_or_default() + Duration::from_secs(1);
            self.phases.push(phase);
        }
        Ok(())
    }

    /// The leases over which the rounds of a fault are spread, and how long they take.
    fn share(
        &self,
        fault: Fault,
        timing: Durations,
        program: &Arc<Program>,
        options: &Options,
        store: &Store,
    ) -> Result<(Vec<PlannedLease>, Duration)> {
        let rounds = if program.is_peer { options.peer_rounds() } else { options.rounds() };
        let waits = fault.waits_for_lease(store.proves_death && !program.is_peer);
        let wait = timing.lease.max(program.least_lease);
        let each = Rounds::forecast(fault, timing, if waits { wait } else { Duration::ZERO });
        let leases = if waits {
            let longest = if options.quick { Self::LONGEST_QUICK } else { Self::LONGEST };
            let wanted = (each * rounds as u32).as_secs_f64() / longest.as_secs_f64();
            let most = (Self::SIDE_BY_SIDE / self.programs.len()).clamp(1, rounds);
            (wanted.ceil() as usize).clamp(1, most)
        } else {
            1
        };
        let lease = |number| {
            let timing_in_name = timing.to_string().replace('/', "-");
            let name = format!("{fault}-{timing_in_name}-{}-{number}", program.name);
            let url = store.url(&name)?;
            let link = if fault.cuts() { store.link(&name).ok() } else { None };
            // The first ones take what does not divide.
            let rounds = rounds / leases + usize::from(number < rounds % leases);
            let program = program.clone();
            Ok(PlannedLease { program, name, url, link, fault, timing, wait, rounds })
        };
        let leases: Vec<_> = (0..leases).map(lease).collect::<Result<_>>()?;
        let takes = each * leases.first().map_or(0, |lease| lease.rounds as u32);
        Ok((leases, takes))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn plan(url: &str, arguments: &[&str]) -> Plan {
        plan_of(url, arguments, vec![program("leasehold", false)])
    }

    fn plan_of(url: &str, arguments: &[&str], programs: Vec<Arc<Program>>) -> Plan {
        let options = Options::parse_from([&["failover"], arguments].concat());
        Plan::new(&options, &Store::given(url).unwrap(), programs).unwrap()
    }

    fn program(name: &str, is_peer: bool) -> Arc<Program> {
        let least_lease = if is_peer { Duration::from_secs(2) } else { Duration::ZERO };
        Arc::new(Program { name: name.into(), path: name.into(), is_peer, least_lease })
    }

    #[test]
    fn every_round_is_planned_once() {
        let plan = plan("redis://127.0.0.1:1/#jobs", &["--rounds", "101"]);
        let leases = || plan.phases.iter().flatten();
        for fault in Fault::ALL {
            let rounds = leases().filter(|lease| lease.fault == fault).map(|lease| lease.rounds);
            assert_eq!(rounds.sum::<usize>(), 101, "{fault}");
        }
        assert_eq!(plan.rounds(&Options::parse_from(["failover", "--rounds", "101"])), 8 * 101);
        assert!(plan.forecast < Duration::from_secs(120), "{:?}", plan.forecast);
    }

    #[test]
    fn faults_of_the_link_are_measured_apart_and_by_way_of_a_proxy() {
        let plan = plan("redis://127.0.0.1:1/#jobs", &[]);
        let [direct, linked] = &plan.phases[..] else { panic!("{plan:?}") };
        assert!(direct.iter().all(|lease| !lease.fault.cuts() && lease.link.is_none()));
        assert!(linked.iter().all(|lease| lease.fault.cuts() && lease.link.is_some()));
    }

    #[test]
    fn a_store_without_a_link_has_no_partition_and_says_so() {
        let some = plan("file:///run/jobs", &["--faults", "crash,partition,partition-replies"]);
        assert_eq!(some.phases.len(), 1);
        let left_out = some.left_out.unwrap();
        assert!(left_out.starts_with("file: no partition, partition-replies: "), "{left_out}");
        let none = plan("file:///run/jobs", &["--faults", "partition"]);
        assert!(none.phases.is_empty() && none.floors.is_empty());
    }

    #[test]
    fn peers_meet_the_same_faults_side_by_side_with_ours() {
        let programs = || vec![program("leasehold", false), program("other", true)];
        let plan = plan_of("redis://127.0.0.1:1/#jobs", &["--rounds", "101"], programs());
        for phase in &plan.phases {
            for (is_peer, wanted) in [(false, 101), (true, 30)] {
                for fault in phase.iter().map(|lease| lease.fault) {
                    let these = phase
                        .iter()
                        .filter(|lease| (lease.fault, lease.program.is_peer) == (fault, is_peer));
                    let wait = Duration::from_secs(if is_peer { 2 } else { 1 });
                    assert!(these.clone().all(|lease| lease.wait == wait));
                    assert!(these.clone().count() <= Plan::SIDE_BY_SIDE / 2);
                    assert_eq!(these.map(|lease| lease.rounds).sum::<usize>(), wanted, "{fault}");
                }
            }
        }
        let mut names: Vec<_> = plan.phases.iter().flatten().map(|lease| &lease.url).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), plan.phases.iter().flatten().count(), "no two share a lease");
        let as_often = ["--rounds", "101", "--peer-rounds", "101"];
        let plan = plan_of("redis://127.0.0.1:1/#jobs", &as_often, programs());
        let rounds = plan.phases.iter().flatten().map(|lease| lease.rounds);
        assert_eq!(rounds.sum::<usize>(), 2 * 7 * 101);
    }

    #[test]
    fn who_is_in_a_hurry_need_not_wait_long() {
        let plan = plan("redis://127.0.0.1:1/#jobs", &["--quick"]);
        assert!(plan.forecast < Duration::from_secs(25), "{:?}", plan.forecast);
    }
}
