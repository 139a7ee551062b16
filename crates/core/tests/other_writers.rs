//! Somebody else writes to the lease, or deletes it.

use std::time::Instant;

use crate::common::{
    elector, free_lock,
    gate::{Gate, Passage},
    quick, until,
};
use leasehold_core::{End, LeaseLock, MemoryLock, Observation, RandomPart, Stamp, Swap, Tenure};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_renewal_refused_by_anothers_record_ends_leadership_at_once_and_is_not_released() {
    let lock = free_lock().await;
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let successor = successor(&lock).await;
    let leading = lead.leading();
    leading.ended().await;
    assert_eq!(leading.end(), Some(End::Lost));
    assert!(!lead.resign().await, "there was nothing to give back");
    assert_eq!(lock.observe().await.unwrap(), successor, "the successor's lease is untouched");
}

#[tokio::test]
async fn a_release_never_blanks_a_successors_lease() {
    let gate = Gate::before(free_lock().await);
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    // The leader cannot see what happens to its lease, and gives it back as it believes it to be.
    gate.set(Passage::Shut);
    let successor = successor(&gate.store).await;
    let resigned = tokio::spawn(lead.resign());
    gate.set(Passage::Open);
    assert!(!resigned.await.unwrap());
    assert_eq!(gate.store.observe().await.unwrap(), successor);
}

/// By a proxy that answers for the store, or where a policy of the store's reverts it.
#[tokio::test]
async fn a_write_that_is_confirmed_and_not_kept_is_not_led_upon() {
    let gate = Gate::before(free_lock().await);
    gate.set(Passage::Confirmed);
    let [one, another] = ["a", "b"].map(|name| elector(&gate, name));
    let shutdown = CancellationToken::new();
    let (mut one, mut another) =
        (Box::pin(one.campaign(&shutdown)), Box::pin(another.campaign(&shutdown)));
    tokio::select! {
        lead = &mut one => panic!("{lead:?}"),
        lead = &mut another => panic!("{lead:?}"),
        // Each has tried, and tried again.
        () = gate.swaps(4) => {}
    }
    gate.set(Passage::Open);
    let lead = tokio::select! {
        lead = one => lead.unwrap(),
        lead = another => lead.unwrap(),
    };
    gate.set(Passage::Confirmed);
    lead.leading().stopping().await;
    assert!(!lead.resign().await, "nothing was given back");
}

#[tokio::test]
async fn a_relabelled_record_of_ones_own_is_no_loss() {
    let lock = free_lock().await;
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let seen = lock.observe().await.unwrap();
    let record = seen.record.clone().unwrap();
    assert!(matches!(lock.swap(&seen, &record).await.unwrap(), Swap::Written(_)));
    until(&lock, |now| now.stamp != record.stamp).await;
    assert!(lead.is_current());
}

#[tokio::test]
async fn a_lease_that_is_not_there_is_marked_vacant_and_waited_out() {
    let lock = free_lock().await;
    lock.delete();
    let before = Instant::now();
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    assert!(before.elapsed() >= quick().lease_duration());
    assert!(lead.is_current());
}

/// Another candidate takes the lease while its holder does not look.
async fn successor(lock: &MemoryLock) -> Observation {
    loop {
        let seen = lock.observe().await.unwrap();
        let mut record = seen.record.clone().unwrap();
        record.tenure = Tenure::Held { holder: "b".into() };
        record.stamp = Some(Stamp { author: RandomPart::random(), attempt: 1 });
        if let Swap::Written(written) = lock.swap(&seen, &record).await.unwrap() {
            return written;
        }
    }
}
