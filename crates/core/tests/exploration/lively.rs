//! Once faults stop, somebody leads: tried from every state that faults can lead to.

use crate::{
    report::explore,
    scope::{Numbering, Scope, Trouble},
};

#[test]
fn once_faults_stop_somebody_leads() {
    use Trouble::{Delete, GoBackUnseen, PromoteLagging, Relabel};
    let troubles = [Delete, Relabel, PromoteLagging, GoBackUnseen];
    let scope = Scope::quiet(3).troubled(&troubles, 1);
    // Where a store went back unseen there may be two leaders; there has to be one in the end.
    let scope = Scope { judges_exclusion: false, judges_tokens: false, ..scope };
    explore("live, troubles", Scope { numbering: Numbering::Time, ..live(scope) }, 20_000);
}

#[test]
fn once_the_wire_is_healed_somebody_leads() {
    let scope = Scope { polls: false, resigns: false, ..Scope::quiet(2).lossy(1) };
    explore("live, one loss", live(scope), 20_000);
}

#[test]
fn once_the_first_leader_is_dead_somebody_leads() {
    explore("live, a death", live(Scope { deaths: 1, ..Scope::quiet(3).drifting() }), 5_000);
}

#[test]
fn somebody_leads_where_there_was_nothing() {
    explore("live, nothing there", live(Scope { created: false, ..Scope::quiet(4) }), 5_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn once_a_bad_wire_is_healed_somebody_leads() {
    let quiet = Scope { polls: false, resigns: false, ..Scope::quiet(3) };
    explore("live, one loss, larger", live(quiet.lossy(1)), 200_000);
}

fn live(scope: Scope) -> Scope {
    Scope { judges_liveness: true, ..scope }
}
