//! An etcd that is restored from an older snapshot, at the same address.

use std::time::Duration;

use crate::common::{held, lock};
use futures::StreamExt as _;
use leasehold_core::{LeaseLock, Observation, Record, Swap};
use leasehold_etcd::EtcdLock;
use leasehold_testkit::etcd::{EtcdOptions, EtcdServer, Restore};
use tokio::time::timeout;

async fn write(lock: &EtcdLock) -> Observation {
    let seen = lock.observe().await.unwrap();
    match lock.swap(&seen, &held(&seen)).await.unwrap() {
        Swap::Written(written) => written,
        Swap::Refused(there) => panic!("{there:?}"),
    }
}

/// An etcd, and what it kept at the time of a snapshot, and keeps now.
async fn before() -> (EtcdServer, EtcdLock, Observation, Observation) {
    let server = EtcdOptions::new().own().start().unwrap();
    let lock = lock(&server.url("jobs"));
    let old = write(&lock).await;
    server.snapshot(&server.run_directory().join("snapshot.db")).unwrap();
    let mut new = old.clone();
    for _ in 0..5 {
        new = write(&lock).await;
    }
    (server, lock, old, new)
}

fn restore(server: &EtcdServer, how: &Restore) {
    server.restore(&server.run_directory().join("snapshot.db"), how);
}

#[tokio::test]
async fn without_another_cluster_the_era_stays_and_the_older_version_shows() {
    let (server, lock, old, new) = before().await;
    let mut watch = lock.watch();
    assert_eq!(watch.next().await.unwrap().unwrap(), new);
    restore(&server, &Restore::new());
    assert_eq!(lock.observe().await.unwrap(), old);
    let swap = lock.swap(&new, &held(&new)).await.unwrap();
    assert_eq!(swap, Swap::Refused(Some(old.clone())));

    // The same revisions again, with other records: what is expected is not what is there.
    let mut same = old;
    while same.version.number() < new.version.number() {
        same = write(&lock).await;
    }
    assert_eq!(same.version.number(), new.version.number());
    let swap = lock.swap(&new, &held(&new)).await.unwrap();
    assert_eq!(swap, Swap::Refused(Some(same)));
}

/// It listened for what comes after a revision that is to come only much later.
#[tokio::test]
async fn a_watch_shows_the_older_version_and_what_comes_after_it() {
    let (server, lock, ..) = before().await;
    let url = server.url("jobs");
    let mut watch = lock.watch();
    watch.next().await.unwrap().unwrap();
    restore(&server, &Restore::new());
    let writer = crate::common::lock(&url);
    let written = write(&writer).await;
    let shown = timeout(Duration::from_secs(10), async {
        loop {
            match watch.next().await {
                Some(Ok(seen)) if seen == written => return,
                Some(Ok(_)) => {}
                // It was away for a while.
                _ => watch = lock.watch(),
            }
        }
    });
    shown.await.expect("it is not shown");
    let again = write(&writer).await;
    let next = timeout(Duration::from_secs(10), watch.next()).await.expect("nothing is pushed");
    assert_eq!(next.unwrap().unwrap(), again);
}

#[tokio::test]
async fn with_a_bump_of_the_revision_versions_go_on_growing() {
    let (server, lock, old, new) = before().await;
    restore(&server, &Restore::new().bump_revision(1_000_000));
    let seen = lock.observe().await.unwrap();
    assert_eq!((&seen.era, &seen.record), (&old.era, &old.record));
    let written = write(&lock).await;
    assert!(written.version.number() > new.version.number() + 900_000);
}

#[tokio::test]
async fn another_cluster_is_another_era_and_what_is_written_there_belongs_to_it() {
    let (server, lock, old, new) = before().await;
    restore(&server, &Restore::new().new_cluster());
    let seen = lock.observe().await.unwrap();
    assert_ne!(seen.era, new.era);
    assert_eq!((&seen.version, &seen.record), (&old.version, &old.record));
    // etcd compares no cluster: who still expects what was there is told where he has written.
    match lock.swap(&old, &held(&old)).await.unwrap() {
        Swap::Written(written) => assert_eq!(written.era, seen.era),
        Swap::Refused(there) => panic!("{there:?}"),
    }
}

/// Not believed: shown as vacant, and replaced by nobody.
#[tokio::test]
async fn a_revision_that_is_too_great_is_not_believed() {
    let (server, lock, old, _) = before().await;
    restore(&server, &Restore::new().bump_revision(1 << 62));
    let record = old.record.unwrap();
    server.etcdctl(&["put", lock.key(), &record.to_json()]);
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.version.number(), 1 << 62);
    assert_eq!(seen.record, Some(Record::unreadable(seen.era.clone())));
    assert_eq!(lock.swap(&seen, &record).await.unwrap(), Swap::Refused(Some(seen)));
}
