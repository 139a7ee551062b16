//! The watch: late, lost, repeated, stale or absent.

use crate::{report::explore, scope::Scope};

#[test]
fn a_watch_that_is_late_lost_or_stale_misleads_nobody() {
    explore("watch", Scope { judges_waits: true, ..Scope::quiet(4).watched() }, 10_000);
}

#[test]
fn a_watch_that_is_late_lost_or_stale_misleads_nobody_whose_clock_drifts() {
    explore("watch, drift", Scope::quiet(4).watched().drifting(), 30_000);
}

#[test]
fn a_push_may_overtake_an_answer() {
    let scope = Scope { polls: false, resigns: false, ..Scope::quiet(3).watched().lossy(0) };
    explore("watch, slow", scope, 10_000);
}
