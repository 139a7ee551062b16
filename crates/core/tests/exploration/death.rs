//! Candidates that die for ever, and stores that prove it.

use crate::{report::explore, scope::Scope};

#[test]
fn the_dead_are_followed_after_a_lease() {
    explore("a death", Scope { judges_waits: true, deaths: 1, ..Scope::quiet(4) }, 20_000);
}

#[test]
fn the_proven_dead_are_followed_though_their_writes_may_still_arrive() {
    let scope = Scope { deaths: 1, proofs: true, ..Scope::quiet(4).watched() };
    explore("a proven death", Scope { judges_waits: true, ..scope.clone() }, 20_000);
    let scope = Scope { swaps: 3, polls: false, resigns: false, ..scope };
    explore("a proven death, slow", scope.lossy(0), 20_000);
}
