//! The wire: requests and replies that are slow, lost, duplicated, or overtaken by others.

use crate::{report::explore, scope::Scope};

#[test]
fn two_candidates_never_lead_at_once_whatever_the_wire_does() {
    explore("one loss", alone(3).lossy(1), 300_000);
}

#[test]
fn who_resigns_over_a_slow_wire_gives_back_no_lease_but_its_own() {
    explore("slow, resigning", Scope { polls: false, ..Scope::quiet(4).lossy(0) }, 80_000);
}

#[test]
fn who_withdraws_leaves_no_term_behind() {
    explore("slow, withdrawing", Scope { withdraws: true, ..alone(2).lossy(0) }, 50_000);
}

#[test]
fn a_lease_that_does_not_exist_is_marked_and_waited_for_over_any_wire() {
    explore("one loss, nothing there", Scope { created: false, ..alone(3).lossy(1) }, 100_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn two_candidates_never_lead_at_once_whatever_the_wire_does_twice() {
    explore("two losses", alone(4).lossy(2), 5_000_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn who_resigns_over_a_lossy_wire_gives_back_no_lease_but_its_own() {
    explore("one loss, resigning", Scope { polls: false, ..Scope::quiet(4).lossy(1) }, 2_000_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn who_withdraws_over_a_lossy_wire_leaves_no_term_behind() {
    explore("one loss, withdrawing", Scope { withdraws: true, ..alone(2).lossy(1) }, 500_000);
}

/// Nobody resigns, and nobody looks but when its kernel wants to: the wire is all that happens.
fn alone(swaps: u8) -> Scope {
    Scope { polls: false, resigns: false, ..Scope::quiet(swaps) }
}
