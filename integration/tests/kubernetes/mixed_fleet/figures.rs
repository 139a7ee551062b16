//! The figures of a run, for people.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    time::Duration,
};

use super::{
    fleet::{Fault, Handover},
    told::Who,
    verdict::Verdict,
};

impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, from, to, took } = self;
        write!(f, "{fault:?}: {} to {}, ", from.name, to.name)?;
        match took {
            Some(took) => write!(f, "{took:.2?}"),
            None => write!(f, "before the fault"),
        }
    }
}

fn side(who: Who) -> &'static str {
    if who.ours { "ours" } else { "client-go" }
}

/// How often who led after whom, and how long it took.
pub(crate) fn figures(handovers: &[Handover], verdict: &Verdict<'_>) -> String {
    let mut by: BTreeMap<(Option<Fault>, &str, &str), Vec<Duration>> = BTreeMap::new();
    for Handover { fault, from, to, took } in handovers {
        let fault = took.is_some().then_some(*fault);
        by.entry((fault, side(*from), side(*to))).or_default().push(took.unwrap_or_default());
    }
    let mut said = String::new();
    for ((fault, from, to), mut took) in by {
        took.sort();
        let (count, p50, max) = (took.len(), took[(took.len() - 1) / 2], took[took.len() - 1]);
        let fault =
            fault.map_or_else(|| "lost before the fault".to_owned(), |it| format!("{it:?}"));
        _ = writeln!(
            said,
            "{fault:>22} {from:>9} to {to:<9} {count:>4}: p50 {p50:.2?}, max {max:.2?}"
        );
    }
    let mut led: BTreeMap<&str, usize> = BTreeMap::new();
    for term in verdict.terms {
        *led.entry(term.who.name).or_default() += 1;
    }
    _ = writeln!(said, "terms: {led:?}; states of the Lease: {}", verdict.states.len());
    let ours = verdict.blanked.iter().filter(|term| term.who.ours).count();
    let client_gos = verdict.blanked.len() - ours;
    _ = writeln!(said, "blanked by client-go: {ours} leaders of ours, {client_gos} of client-go's");
    let mut overlaps: BTreeMap<_, Vec<Duration>> = BTreeMap::new();
    for overlap in &verdict.overlaps {
        let between = (side(overlap.earlier.who), side(overlap.later.who));
        overlaps.entry(between).or_default().push(overlap.by);
    }
    _ = writeln!(
        said,
        "overlaps that ours have caused: none; client-go's own: {}",
        verdict.overlaps.len()
    );
    for ((earlier, later), by) in overlaps {
        let worst = by.iter().max().expect("one at least");
        _ = writeln!(said, "{earlier:>12} beside {later:<9} {:>4}: worst {worst:.2?}", by.len());
    }
    said
}
