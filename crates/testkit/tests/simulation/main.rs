//! Elections of several candidates over a faulty store, on simulated time, by the thousand.
//!
//! Everything follows from a seed. `LEASEHOLD_SEED=n` shows one election in full, and
//! `LEASEHOLD_SEEDS=n` judges so many of them.

mod candidate;
mod disturber;
mod election;
mod seeds;
mod stage;
mod weather;

use std::time::Duration;

use election::{Election, Outcome};
use leasehold_testkit::Violation;
use weather::Weather;

/// How many elections a plain `cargo test` judges.
const SEEDS: u64 = 4_000;

#[test]
fn no_fault_leads_to_two_leaders_or_to_none_that_lasts() {
    if let Some(seed) = seeds::asked_for() {
        let outcome = Election::of(seed, Weather::of(seed)).hold();
        println!("{}", outcome.history);
        outcome.judge();
        return;
    }
    let count = seeds::count(SEEDS);
    let terms = seeds::judge(count, |seed| {
        let outcome = Election::of(seed, Weather::of(seed)).hold();
        outcome.judge();
        outcome.terms()
    });
    // An election in which nothing happens proves nothing.
    assert!(terms > count * 3, "only {terms} terms in {count} elections: the weather is too bad");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in (0..40).filter(|seed| Weather::of(*seed).is_replayed_exactly()) {
        let [one, other] = [(), ()].map(|()| Election::of(seed, Weather::of(seed)).hold());
        let (one, other) = (one.history.events(), other.history.events());
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "seed {seed} gave two histories");
        }
        assert_eq!(one.len(), other.len(), "seed {seed} gave two histories");
    }
}

/// The drift that a timing allows for is no ornament: clocks that are worse do break the promise,
/// and this simulation sees it.
#[test]
fn clocks_beyond_the_drift_lead_to_two_leaders() {
    let overlaps = |outcome: &Outcome| {
        outcome.history.check().iter().any(|v| matches!(v, Violation::Overlap { .. }))
    };
    let found = (0..100).find(|seed| {
        overlaps(&Election::of(*seed, Weather::of(*seed).with_rates(0.6, 1.4)).hold())
    });
    assert!(found.is_some(), "clocks at 0.6 and 1.4 of true time never led to two leaders");
}

#[test]
fn a_store_that_goes_back_unmarked_is_survived_by_those_who_had_seen_more() {
    let count = seeds::count(SEEDS) / 8;
    let terms = seeds::judge(count, |seed| {
        let outcome = Election::of(seed, Weather::going_back(seed)).hold();
        outcome.judge();
        outcome.terms()
    });
    assert!(terms > count * 2, "only {terms} terms in {count} elections");
}

/// In fair weather nothing is lost: whoever leads goes on leading.
#[test]
fn without_faults_the_first_leader_leads_until_the_end() {
    for seed in 0..50 {
        let outcome = Election::of(seed, Weather::fair()).hold();
        assert_eq!(outcome.terms(), 1, "seed {seed}:\n{}", outcome.history);
        outcome.judge();
    }
}

/// So much later than the end of all faults somebody leads: what is still late arrives, the
/// longest lease is waited out, perhaps twice (`Vacant`, then `Free`), on the slowest clock.
const LED_AGAIN_WITHIN: Duration = Duration::from_secs(6);
