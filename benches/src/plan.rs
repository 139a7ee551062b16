use std::time::Duration;

use anyhow::Result;

use crate::{
    Durations, Fault, Options,
    round::Rounds,
    store::{Link, Store},
};

/// What will be done on one store.
#[derive(Debug, Default)]
pub(crate) struct Plan {
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
    pub(crate) name: String,
    pub(crate) url: String,
    /// Where the fault is one of the link.
    pub(crate) link: Option<Link>,
    pub(crate) fault: Fault,
    pub(crate) timing: Durations,
    pub(crate) rounds: usize,
}

impl Plan {
    /// Rounds that wait out a lease are spread over as many leases side by side, that a fault takes
    /// no longer than this. Waiting costs next to nothing, and no two ever change hands at once.
    const LONGEST: Duration = Duration::from_secs(35);
    /// Who is in a hurry has more processes for fewer rounds.
    const LONGEST_QUICK: Duration = Duration::from_secs(7);
    /// More processes than these would be felt.
    const SIDE_BY_SIDE: usize = 5;

    pub(crate) fn new(options: &Options, store: &Store) -> Result<Self> {
        let mut faults = options.faults.clone();
        faults.sort_unstable();
        faults.dedup();
        let (cuts, others): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.cuts());
        let mut plan = Self::default();
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
                let each = Rounds::forecast(*fault, *timing, store.proves_death);
                let leases = share(*fault, each, options, store, *timing)?;
                forecast = forecast.max(each * leases.first().map_or(0, |l| l.rounds as u32));
                phase.extend(leases);
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
}

/// The leases over which the rounds of a fault are spread.
fn share(
    fault: Fault,
    each: Duration,
    options: &Options,
    store: &Store,
    timing: Durations,
) -> Result<Vec<PlannedLease>> {
    let rounds = options.rounds();
    let leases = if fault.waits_for_lease(store.proves_death) {
        let longest = if options.quick { Plan::LONGEST_QUICK } else { Plan::LONGEST };
        let wanted = (each * rounds as u32).as_secs_f64() / longest.as_secs_f64();
        (wanted.ceil() as usize).clamp(1, Plan::SIDE_BY_SIDE.min(rounds))
    } else {
        1
    };
    let lease = |number| {
        let name = format!("{fault}-{}-{number}", timing.to_string().replace('/', "-"));
        let url = store.url(&name)?;
        let link = if fault.cuts() { store.link(&name).ok() } else { None };
        // The first ones take what does not divide.
        let rounds = rounds / leases + usize::from(number < rounds % leases);
        Ok(PlannedLease { name, url, link, fault, timing, rounds })
    };
    (0..leases).map(lease).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn plan(url: &str, arguments: &[&str]) -> Plan {
        let options = Options::parse_from([&["failover"], arguments].concat());
        Plan::new(&options, &Store::given(url).unwrap()).unwrap()
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
    fn who_is_in_a_hurry_need_not_wait_long() {
        let plan = plan("redis://127.0.0.1:1/#jobs", &["--quick"]);
        assert!(plan.forecast < Duration::from_secs(25), "{:?}", plan.forecast);
    }
}
