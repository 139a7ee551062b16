//! Campaigning, stepping down, and campaigning again.

use crate::common::{
    candidate, elector, free_lock,
    gate::{Gate, Passage},
};
use leasehold_core::{Elector, Error, ErrorKind, LeaseLock, Status, Tenure};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn only_the_leader_starts_and_the_others_follow_it_by_name() {
    let lock = free_lock().await;
    let first = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let second = elector(&lock, "b");
    let shutdown = CancellationToken::new();
    let mut status = second.status();
    let follows = status.wait_for(
        |status| matches!(status, Status::Following { leader: Some(name) } if &**name == "a"),
    );
    tokio::select! {
        biased;
        lead = second.campaign(&shutdown) => panic!("two leaders: {lead:?}"),
        follows = follows => drop(follows.unwrap()),
    }
    assert!(first.is_current());
}

#[tokio::test]
async fn one_who_steps_down_leaves_the_lease_to_a_standby_and_stands_by_again() {
    let lock = free_lock().await;
    let (first, second) = (elector(&lock, "a"), elector(&lock, "b"));
    let (began, mut leaders) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let run = async |elector: &Elector, name: &'static str| {
        elector
            .run(shutdown.clone(), |lead| {
                began.send(name).unwrap();
                async move {
                    lead.stopping().await;
                    Ok::<_, Error>(())
                }
            })
            .await
    };
    let story = async {
        let (mut leader, mut other) = (&first, &second);
        let mut name = leaders.recv().await.unwrap();
        if name == "b" {
            std::mem::swap(&mut leader, &mut other);
        }
        for _ in 0..10 {
            assert!(leader.step_down().await);
            let next = leaders.recv().await.unwrap();
            assert_ne!(next, name, "the one who stepped down came back at once");
            name = next;
            std::mem::swap(&mut leader, &mut other);
        }
        shutdown.cancel();
    };
    let (one, two, ()) = tokio::join!(run(&first, "a"), run(&second, "b"), story);
    one.unwrap();
    two.unwrap();
}

#[tokio::test]
async fn one_who_steps_down_alone_leads_again_after_a_while() {
    let lock = free_lock().await;
    let elector = elector(&lock, "a");
    let shutdown = CancellationToken::new();
    let lead = elector.campaign(&shutdown).await.unwrap();
    let token = lead.token();
    assert!(lead.resign().await);
    assert!(elector.campaign(&shutdown).await.unwrap().token() > token);
}

#[tokio::test]
async fn step_down_of_one_who_does_not_lead_says_so() {
    let lock = free_lock().await;
    assert!(!elector(&lock, "a").step_down().await);
}

#[tokio::test]
async fn a_second_campaign_of_one_elector_is_refused() {
    let lock = free_lock().await;
    let elector = elector(&lock, "a");
    let shutdown = CancellationToken::new();
    let _lead = elector.campaign(&shutdown).await.unwrap();
    assert_eq!(elector.campaign(&shutdown).await.unwrap_err().kind(), ErrorKind::Busy);
}

#[tokio::test]
async fn a_campaign_that_is_shut_down_or_dropped_leaves_nothing_in_the_way() {
    let lock = free_lock().await;
    let leader = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let second = elector(&lock, "b");
    let shutdown = CancellationToken::new();
    let (ended, ()) = tokio::join!(second.campaign(&shutdown), async { shutdown.cancel() });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
    let again = CancellationToken::new();
    drop(Box::pin(second.campaign(&again)));
    let (_, lead) = tokio::join!(leader.resign(), second.campaign(&again));
    assert!(lead.unwrap().is_current());
}

/// The process ends with it, and nobody would give the lease back any more.
#[tokio::test]
async fn a_campaign_that_is_shut_down_as_it_wins_ends_when_the_lease_is_given_back() {
    let gate = Gate::before(free_lock().await);
    let elector = elector(&gate, "a");
    let shutdown = CancellationToken::new();
    gate.set(Passage::AnswersLate(std::time::Duration::from_millis(60)));
    let (ended, ()) = tokio::join!(elector.campaign(&shutdown), async {
        gate.swaps(1).await;
        // It is written, and not confirmed.
        crate::common::until(&gate.store, |record| record.holder() == Some("a")).await;
        shutdown.cancel();
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(gate.store.observe().await.unwrap().record.unwrap().tenure, Tenure::Free);
}

#[tokio::test]
async fn two_electors_of_one_name_never_take_each_others_record_for_their_own() {
    let lock = free_lock().await;
    let lead = elector(&lock, "same").campaign(&CancellationToken::new()).await.unwrap();
    let other = elector(&lock, "same");
    let shutdown = CancellationToken::new();
    tokio::select! {
        biased;
        second = other.campaign(&shutdown) => panic!("two leaders: {second:?}"),
        () = async {
            let mut status = other.status();
            let following = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
            drop(status.wait_for(following).await.unwrap());
        } => {}
    }
    assert!(lead.is_current());
}

#[tokio::test]
async fn a_lease_shorter_than_the_store_allows_is_refused_with_both_numbers() {
    let lock = free_lock().await;
    let short = std::time::Duration::from_millis(90);
    let timing = leasehold_core::Timing::new(short, short / 3, short / 90).unwrap();
    let elector = Elector::new(lock, candidate("a")).with_timing(timing);
    let error = elector.campaign(&CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("90ms") && error.to_string().contains("100ms"), "{error}");
}
