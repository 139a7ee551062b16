use std::{sync::Arc, time::Duration};

use anyhow::Result;

use super::{Plan, PlannedLease};
use crate::{
    Durations, Fault, Options,
    group::Cast,
    program::Program,
    round::Rounds,
    store::{Link, Store},
};

/// The rounds of a fault to a program at a timing.
pub(super) struct Share<'a> {
    pub(super) program: &'a Arc<Program>,
    pub(super) fault: Fault,
    pub(super) timing: Durations,
    pub(super) rounds: usize,
    pub(super) defaults: bool,
}

impl Share<'_> {
    /// The leases over which they are spread, and how long they take.
    pub(super) fn leases(
        &self,
        programs: usize,
        options: &Options,
        store: &Store,
    ) -> Result<(Vec<PlannedLease>, Duration)> {
        let Self { program, fault, timing, rounds, .. } = *self;
        let waits = fault.waits_for_lease(store.proves_death && !program.is_peer)
            || program.is_peer && program.waits_out && fault != Fault::StoreRestart;
        let wait = timing.lease.max(program.least_lease);
        let each = Rounds::forecast(fault, timing, if waits { wait } else { Duration::ZERO });
        let leases = if waits {
            let longest = if options.quick { Plan::LONGEST_QUICK } else { Plan::LONGEST };
            let wanted = (each * rounds as u32).as_secs_f64() / longest.as_secs_f64();
            let most = match programs {
                _ if timing.retry >= Plan::RARELY => Plan::SIDE_BY_SIDE,
                1 => Plan::SIDE_BY_SIDE,
                // Ours have more rounds.
                _ if !program.is_peer => (Plan::SIDE_BY_SIDE / programs).max(2),
                _ => (Plan::SIDE_BY_SIDE / programs).max(1),
            };
            (wanted.ceil() as usize).clamp(1, most.min(rounds))
        } else {
            1
        };
        // The first ones take what does not divide.
        let rounds = |number| rounds / leases + usize::from(number < rounds % leases);
        let planned = (0..leases).map(|number| self.lease(number, rounds(number), options, store));
        Ok((planned.collect::<Result<_>>()?, each * rounds(0) as u32))
    }

    pub(super) fn lease(
        &self,
        number: usize,
        rounds: usize,
        options: &Options,
        store: &Store,
    ) -> Result<PlannedLease> {
        let Self { program, fault, timing, defaults, .. } = *self;
        let name = lease_name(fault.as_str(), timing, program, number);
        let link = if fault.cuts() { store.link(&name).ok() } else { None };
        let cast = cast(program, name, timing, link, options, store)?;
        Ok(PlannedLease { cast, fault, rounds, defaults })
    }
}

/// How much a store has to do for these, in leases at the timing of a bench.
pub(super) fn load(leases: &[PlannedLease]) -> f64 {
    const USUAL: f64 = 0.15;
    let of = |lease: &PlannedLease| USUAL / lease.cast.timing.retry.as_secs_f64();
    // Processes want to be woken, too, whatever the store has to do for them.
    leases.iter().map(|lease| of(lease).clamp(0.4, 4.0)).sum()
}

pub(super) fn lease_name(
    what: &str,
    timing: Durations,
    program: &Program,
    number: usize,
) -> String {
    let timing = timing.to_string().replace('/', "-");
    format!("{what}-{timing}-{}-{number}", program.name)
}

pub(super) fn cast(
    program: &Arc<Program>,
    name: String,
    timing: Durations,
    link: Option<Link>,
    options: &Options,
    store: &Store,
) -> Result<Cast> {
    Ok(Cast {
        url: store.url(&name)?,
        program: program.clone(),
        link,
        name,
        timing,
        wait: timing.lease.max(program.least_lease),
        contenders: options.contenders as usize,
    })
}
