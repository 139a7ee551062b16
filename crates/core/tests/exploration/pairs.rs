//! Faults of two classes together.

use crate::{
    report::explore,
    scope::{Numbering, Scope, Trouble},
};

#[test]
fn a_stale_watch_of_a_troubled_store_makes_no_two_leaders() {
    let scope = troubled(3, &ALL).watched();
    explore("watch and troubles", scope, 50_000);
}

#[test]
fn drifting_clocks_and_a_troubled_store_make_no_two_leaders() {
    explore("drift and troubles", troubled(3, &ALL).drifting(), 50_000);
}

#[test]
fn a_slow_wire_to_a_troubled_store_makes_no_two_leaders() {
    let scope = Scope { resigns: false, polls: false, ..troubled(3, &ALL).lossy(0) };
    explore("slow wire and troubles", scope, 50_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_lossy_wire_to_a_store_whose_record_is_deleted_makes_no_two_leaders() {
    explore("one loss and a deletion", lossy(&[Trouble::Delete]), 500_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_lossy_wire_to_a_store_whose_record_is_touched_makes_no_two_leaders() {
    explore("one loss and a touch", lossy(&[Trouble::Relabel]), 500_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_lossy_wire_to_a_store_whose_era_changes_makes_no_two_leaders() {
    let troubles = [Trouble::Promote, Trouble::PromoteLagging];
    explore("one loss and another era", lossy(&troubles), 1_000_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_lossy_wire_to_a_store_that_goes_back_makes_no_two_leaders() {
    explore("one loss and a store gone back", lossy(&[Trouble::GoBackSeen]), 500_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_lossy_wire_and_a_stale_watch_make_no_two_leaders() {
    let scope = Scope { polls: false, resigns: false, ..Scope::quiet(3).watched().lossy(1) };
    explore("one loss and a watch", scope, 500_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_lossy_wire_and_a_death_make_no_two_leaders() {
    let quiet = Scope { polls: false, resigns: false, ..Scope::quiet(3) };
    explore("one loss and a death", Scope { deaths: 1, proofs: true, ..quiet.lossy(1) }, 200_000);
}

const ALL: [Trouble; 5] = [
    Trouble::Delete,
    Trouble::Relabel,
    Trouble::Promote,
    Trouble::PromoteLagging,
    Trouble::GoBackSeen,
];

fn troubled(swaps: u8, troubles: &[Trouble]) -> Scope {
    Scope { numbering: Numbering::Time, ..Scope::quiet(swaps).troubled(troubles, 1) }
}

fn lossy(troubles: &[Trouble]) -> Scope {
    Scope { polls: false, resigns: false, ..troubled(3, troubles).lossy(1) }
}
