//! Many transitions, by all faults, while numbered work is done.

use std::collections::BTreeSet;

use leasehold::FencingToken;
use leasehold_integration::{Entry, Fleet, Replica, Store};
use leasehold_testkit::{Direction, Proxy};
use rustix::process::Signal;

use super::REPLICA;

/// How much of its work each term does at least.
const WORK: usize = 3;

/// What ends a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It leaves the lease to another.
    StepDown,
    /// SIGTERM: it ends cleanly.
    Terminate,
    /// SIGKILL.
    Kill,
    /// SIGSTOP, and SIGCONT when another has taken over.
    Freeze,
    /// Its way to the store swallows everything, until another has taken over.
    Cut,
}

const FAULTS: [Fault; 5] =
    [Fault::StepDown, Fault::Kill, Fault::Freeze, Fault::Terminate, Fault::Cut];

/// A copy with a way of its own to the store.
struct Member {
    replica: Replica,
    link: Option<Proxy>,
}

async fn member(fleet: &Fleet, store: &Store) -> Member {
    let (link, url) = match store.way() {
        None => (None, store.url().to_owned()),
        Some((address, url)) => {
            let link = Proxy::start(address).unwrap_or_else(|error| panic!("no proxy: {error}"));
            let url = url(link.address());
            (Some(link), url)
        }
    };
    Member { replica: fleet.start("work", &url).await, link }
}

pub(crate) async fn run(store: Store, transitions: usize) {
    let fleet = Fleet::new(REPLICA);
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(member(&fleet, &store).await);
    }
    let faults: Vec<_> =
        FAULTS.into_iter().filter(|fault| *fault != Fault::Cut || store.way().is_some()).collect();
    // Who may have been refused: one that was frozen wakes as a ghost.
    let mut ghosts = BTreeSet::new();
    let mut token = FencingToken::ZERO;
    for round in 0..transitions {
        let (start, next) = fleet.term_after(token).await;
        token = next;
        fleet.log.has(token, WORK).await;
        let at = members.iter().position(|one| one.replica.name == start.name).expect("of ours");
        let fault = faults[round % faults.len()];
        if fault == Fault::Freeze {
            ghosts.insert(token);
        }
        suffer(&fleet, &store, &mut members, at, fault, token).await;
    }
    let (_, last) = fleet.term_after(token).await;
    fleet.log.has(last, WORK).await;
    for Member { replica, .. } in &mut members {
        replica.signal(Signal::TERM);
    }
    for Member { replica, .. } in &mut members {
        assert!(replica.ended().await.success(), "{}", replica.name);
    }
    check(&fleet, transitions, &ghosts);
}

async fn suffer(
    fleet: &Fleet,
    store: &Store,
    members: &mut [Member],
    at: usize,
    fault: Fault,
    token: FencingToken,
) {
    let leader = &mut members[at].replica;
    match fault {
        Fault::StepDown => leader.step_down().await,
        Fault::Terminate => {
            leader.signal(Signal::TERM);
            assert!(leader.ended().await.success(), "{}", leader.name);
            members[at] = member(fleet, store).await;
        }
        Fault::Kill => {
            leader.signal(Signal::KILL);
            leader.ended().await;
            members[at] = member(fleet, store).await;
        }
        Fault::Freeze => {
            leader.signal(Signal::STOP);
            let (_, next) = fleet.term_after(token).await;
            fleet.log.has(next, WORK).await;
            leader.signal(Signal::CONT);
            fleet.until(leader, &format!("reconciler ends {token}")).await;
        }
        Fault::Cut => {
            let link = members[at].link.as_ref().expect("there is a way to it");
            link.black_hole(Direction::Both);
            fleet.term_after(token).await;
            link.heal();
        }
    }
}

fn check(fleet: &Fleet, transitions: usize, ghosts: &BTreeSet<FencingToken>) {
    let entries = fleet.log.entries();
    let numbers = entries.iter().map(|entry| entry.number);
    assert!(numbers.eq(1..=entries.len() as u64), "done twice, or left out: {entries:#?}");
    let terms: Vec<&Entry> =
        entries.chunk_by(|one, next| one.token == next.token).map(|term| &term[0]).collect();
    assert!(terms.is_sorted_by(|one, next| one.token < next.token), "interleaved: {terms:#?}");
    assert!(terms.len() > transitions, "{} terms: {terms:#?}", terms.len());
    // The fence has kept out nobody but those who were frozen: the others had stopped before.
    let refused = fleet.log.refused();
    assert!(refused.iter().all(|one| ghosts.contains(&one.token)), "two at work: {refused:#?}");
    let (work, ghosts) = (entries.len(), refused.len());
    println!(
        "{transitions} transitions, {} terms, {work} pieces of work, {ghosts} refused",
        terms.len()
    );
}
