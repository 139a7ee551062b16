//! Candidates of ours and of client-go on one Lease, as in a fleet that is moved from one to the other.
//!
//! `LEASEHOLD_HANDOVERS=300` makes so many handovers (some twenty minutes), `LEASEHOLD_SEED=7` throws
//! the dice as an earlier run has; `-- --nocapture` shows the figures.

mod candidate;
mod figures;
mod fleet;
mod shown;
mod told;
mod verdict;

use std::{env, time::Duration};

use figures::figures;
use fleet::{CLIENT_GOS, Fleet, LEASE, LOOK, OURS, RENEWAL};
use rustix::process::Signal;
use shown::assert_sensible;
use told::{Event, Told, Who, terms};
use verdict::Verdict;

/// So that a run takes less than a minute.
const HANDOVERS: u64 = 10;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, and no number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_client_go_no_two_of_ours_ever_work_at_once_and_ours_take_nothing_that_is_alive() {
    let seed = number("LEASEHOLD_SEED").unwrap_or_else(leasehold_integration::now);
    let wanted = number("LEASEHOLD_HANDOVERS").unwrap_or(HANDOVERS);
    println!("the same dice again: LEASEHOLD_SEED={seed}");
    let mut fleet = Fleet::start(&[OURS, CLIENT_GOS].concat(), seed).await;
    let mut handovers = Vec::new();
    while (handovers.len() as u64) < wanted {
        // Chance alone might leave one out.
        let handover = fleet.hand_over(2 * handovers.len() as u64 >= wanted).await;
        println!("{:>4} {handover}", handovers.len());
        handovers.push(handover);
        fleet.assert_printed().await;
    }
    fleet.end().await;

    let told = fleet.chronicle.told();
    let (terms, states) = (terms(&told), fleet.shown.states());
    let verdict = Verdict::of(&told, &terms, &states);
    println!("{}", figures(&handovers, &verdict));
    assert_sensible(&states);
    for who in [OURS, CLIENT_GOS].concat() {
        assert!(terms.iter().any(|term| term.who == who), "{} has never led", who.name);
    }
}

/// So client-go does when it wakes after its lease and is told to stop: it releases what it thinks is its
/// own.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_lease_is_blanked_by_client_go_stops_at_once_and_it_is_no_release() {
    /// Nearly always it does.
    const ROUNDS: usize = 10;

    let [gos, _] = CLIENT_GOS;
    for _ in 0..ROUNDS {
        let mut fleet = Fleet::start(&[gos], 0).await;
        fleet.chronicle.leader().await;
        for who in OURS {
            fleet.join(who).await;
        }
        fleet.member(gos).freeze();
        let start = |told: &Told| told.who.ours && matches!(told.event, Event::Start { .. });
        let (began, leader) = fleet.chronicle.next("one of ours leads", 0, start).await;
        fleet.shown.is_steady().await;
        let before = fleet.shown.states().len();
        // Told before it wakes.
        fleet.member(gos).signal(Signal::TERM);
        fleet.member(gos).thaw();
        fleet.leaves(gos).await;
        if !fleet.printed_holder().is_empty() {
            fleet.end().await;
            continue;
        }
        // Who has seen a term knows that its token does not go back. Who comes now has seen nothing.
        fleet.join(Who { name: "newcomer", ours: true }).await;
        let blanked = fleet.shown.blanked(before).await;
        let lost = |event: &Event| matches!(event, Event::Stop { why, .. } if why == "lost");
        let stopped = fleet.member(leader.who).says("loses it", began, lost).await;
        let took = Duration::from_nanos(stopped.saturating_sub(blanked));
        assert!(took < RENEWAL / 2, "it worked on for {took:?}");
        let (_, next) = fleet.chronicle.next("somebody leads", began + 1, start).await;
        let waited = Duration::from_nanos(next.at - blanked);
        // The blank was heard of here later than there.
        assert!(waited > LEASE - RENEWAL / 2, "a release, they think: {waited:?}");
        fleet.end().await;
        return;
    }
    panic!("client-go has blanked nothing in {ROUNDS} rounds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resignation_is_heard_by_ours_at_once_and_by_client_go_when_it_looks() {
    let ([gos, _], [ours, _]) = (CLIENT_GOS, OURS);
    let mut fleet = Fleet::start(&[gos], 0).await;
    fleet.chronicle.leader().await;
    fleet.join(ours).await;
    for _ in 0..3 {
        let took = fleet.resigns(gos).await;
        // Whoever asks now and then asks no sooner.
        assert!(took < RENEWAL, "{took:?}");
        let took = fleet.resigns(ours).await;
        assert!(took < LOOK + RENEWAL, "{took:?}");
    }
    fleet.end().await;
}
