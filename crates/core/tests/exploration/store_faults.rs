//! What befalls the store: deletion, touches by others, another era, a return to older records.

use crate::{
    report::{explore, explore_to_two_leaders},
    scope::{Exactness, Numbering, Scope, Trouble},
};

#[test]
fn a_deleted_record_is_no_proof_that_nobody_leads() {
    let scope = Scope::quiet(4).troubled(&[Trouble::Delete], 2);
    explore("two deletions", Scope { judges_waits: true, ..scope }, 100_000);
}

#[test]
fn a_record_that_others_touch_stays_its_holders() {
    let scope = Scope::quiet(4).troubled(&[Trouble::Relabel], 2);
    explore("two touches", Scope { judges_waits: true, ..scope }, 100_000);
}

#[test]
fn a_wish_for_another_leader_makes_no_two_and_is_no_reason_for_none() {
    let scope = Scope::quiet(4).troubled(&[Trouble::Prefer], 1);
    explore("a wish", Scope { judges_waits: true, judges_liveness: true, ..scope }, 10_000);
}

#[test]
fn a_change_of_era_starts_every_wait_anew() {
    explore("another era", Scope { judges_waits: true, ..promoted(4) }, 100_000);
}

#[test]
fn what_is_created_free_in_another_era_is_waited_out_by_who_has_seen_a_leader() {
    let scope = Scope::quiet(4).troubled(&[Trouble::Recreate], 1);
    explore("created again", Scope { numbering: Numbering::Time, ..scope }, 10_000);
}

#[test]
fn an_old_term_of_ones_own_is_not_released_in_another_era() {
    let scope = Scope::quiet(5).troubled(&[Trouble::PromoteLagging], 1);
    let scope = Scope { numbering: Numbering::Time, resigns: false, polls: false, ..scope };
    explore("another era, lapsed terms", scope, 30_000);
}

#[test]
fn an_era_that_a_swap_cannot_name_is_not_led_in() {
    explore("era not compared", Scope { exactness: Exactness::AnyEra, ..promoted(4) }, 100_000);
}

#[test]
fn a_store_that_went_back_is_waited_out_by_who_has_seen_more() {
    // Its numbers go on: the token grows, too, past terms that nobody else has heard of.
    explore("went back", Scope { judges_waits: true, ..went_back(4) }, 50_000);
}

#[test]
fn a_store_that_went_back_and_uses_its_numbers_again_is_waited_out_as_well() {
    let scope = Scope { numbering: Numbering::Counter, judges_tokens: false, ..went_back(4) };
    explore("went back, numbers again", scope, 50_000);
}

#[test]
fn a_store_that_went_back_unseen_makes_two_leaders() {
    let scope = Scope::quiet(3).troubled(&[Trouble::GoBackUnseen], 1);
    let scope = Scope { numbering: Numbering::Time, judges_tokens: false, ..scope };
    explore_to_two_leaders("went back unseen", scope);
}

#[test]
fn a_deletion_does_not_hide_that_a_store_went_back() {
    let scope = Scope::quiet(4).troubled(&[Trouble::Delete, Trouble::GoBackSeen], 2);
    let scope = Scope { numbering: Numbering::Time, resigns: false, polls: false, ..scope };
    explore("deleted and went back", scope, 10_000);
}

#[test]
fn greater_versions_do_not_hide_that_a_store_went_back() {
    let scope = Scope::quiet(4).troubled(&[Trouble::GoBackRenumbered], 1);
    explore("went back, renumbered", Scope { numbering: Numbering::Time, ..scope }, 10_000);
}

#[test]
fn a_deletion_before_greater_versions_does_not_hide_it_either() {
    let scope = Scope::quiet(4).troubled(&[Trouble::Delete, Trouble::GoBackRenumbered], 2);
    let scope = Scope { numbering: Numbering::Time, resigns: false, polls: false, ..scope };
    explore("deleted and went back, renumbered", scope, 10_000);
}

#[test]
fn a_touch_does_not_hide_that_a_store_went_back() {
    // A third party lifts the version above all that was seen: what is free looks released.
    let scope = Scope::quiet(3).troubled(&[Trouble::GoBackSeen, Trouble::Relabel], 2);
    explore("went back and touched", Scope { numbering: Numbering::Time, ..scope }, 10_000);
}

#[test]
fn numbers_used_again_make_two_leaders_where_a_swap_compares_nothing_else() {
    let scope = Scope {
        exactness: Exactness::Version,
        numbering: Numbering::Counter,
        judges_tokens: false,
        // It would be found by the release of another's lease first.
        resigns: false,
        ..went_back(6)
    };
    explore_to_two_leaders("version only", scope);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn two_troubles_of_the_store_make_no_two_leaders() {
    use Trouble::{Delete, GoBackSeen, Promote, PromoteLagging, Relabel};
    let two = |troubles: &[Trouble]| {
        let scope = Scope::quiet(4).troubled(troubles, 2).drifting();
        Scope { numbering: Numbering::Time, resigns: false, ..scope }
    };
    let kept = [Delete, Relabel, Promote, PromoteLagging];
    explore("two troubles, drift", two(&kept), 500_000);
    let lost = [Delete, Promote, PromoteLagging, GoBackSeen];
    explore("two troubles, one gone back, drift", two(&lost), 500_000);
}

fn promoted(swaps: u8) -> Scope {
    let scope = Scope::quiet(swaps).troubled(&[Trouble::Promote, Trouble::PromoteLagging], 1);
    Scope { numbering: Numbering::Time, ..scope }
}

fn went_back(swaps: u8) -> Scope {
    let scope = Scope::quiet(swaps).troubled(&[Trouble::GoBackSeen], 1);
    Scope { numbering: Numbering::Time, ..scope }
}
