//! What is kept under the lease's key is no record of ours.

use std::time::Duration;

use futures::StreamExt as _;
use leasehold_core::{ErrorKind, LeaseLock, Record, Swap, Tenure, wire};
use leasehold_testkit::{conformance::Garbage, etcd::EtcdServer};

use super::{assert_says, lock};
use crate::common::{client, held};

#[tokio::test]
async fn what_is_no_record_is_vacant_to_who_looks_and_to_who_watches() {
    let url = EtcdServer::shared().url("bad-contents");
    let lock = lock(&url);
    let mut client = client(&url).await;
    let mut watch = lock.watch();
    watch.next().await.unwrap().unwrap();
    for garbage in Garbage::VACANT {
        client.put(lock.key(), garbage.bytes(), None).await.unwrap();
        let seen = lock.observe().await.unwrap();
        let record = seen.record.clone().unwrap();
        assert_eq!(record.tenure, Tenure::Vacant, "{garbage}");
        assert_eq!(record, Record::unreadable(seen.era.clone()), "{garbage}");
        assert_eq!(watch.next().await.unwrap().unwrap(), seen, "{garbage}");
    }
}

/// As after a restore: the same revision, and another value.
#[tokio::test]
async fn a_value_that_only_begins_like_the_expected_one_is_not_replaced() {
    let url = EtcdServer::shared().url("bad-beginnings");
    let lock = lock(&url);
    let mut client = client(&url).await;
    for (expected, there) in [
        (vec![b'x'; wire::LONGEST], vec![b'x'; wire::LONGEST - 1]),
        (vec![b'x'; wire::LONGEST], vec![b'x'; wire::LONGEST + 1]),
        (vec![b'x'; wire::LONGEST + 1], vec![b'x'; wire::LONGEST]),
        (vec![0xff; wire::LONGEST + 1], vec![0xff; wire::LONGEST]),
        (vec![0xff], vec![0xfe]),
        (vec![0, 1], vec![0]),
        (vec![], vec![0]),
        (b"%".to_vec(), b"%25".to_vec()),
        ("ä".into(), "%C3%A4".into()),
    ] {
        client.put(lock.key(), expected.clone(), None).await.unwrap();
        let expected = lock.observe().await.unwrap();
        client.put(lock.key(), there.clone(), None).await.unwrap();
        let seen = lock.observe().await.unwrap();
        // The revision of what is there, and the witness of what was expected.
        let mut mixed = seen.clone();
        mixed.version = mixed.version.with_witness(expected.version.witness().unwrap());
        let swap = lock.swap(&mixed, &held(&mixed)).await.unwrap();
        assert_eq!(swap, Swap::Refused(Some(seen.clone())), "{} bytes", there.len());
        let swap = lock.swap(&seen, &held(&seen)).await.unwrap();
        assert!(matches!(swap, Swap::Written(_)), "{} bytes", there.len());
    }
}

#[tokio::test]
async fn a_megabyte_is_compared_and_replaced() {
    let url = EtcdServer::shared().url("bad-megabyte");
    let lock = lock(&url);
    let mut client = client(&url).await;
    // Almost what etcd takes at most.
    client.put(lock.key(), vec![0xee; (3 << 19) - 1000], None).await.unwrap();
    let seen = lock.observe().await.unwrap();
    assert!(seen.version.witness().unwrap().len() < 4 * wire::LONGEST);
    let Swap::Written(_) = lock.swap(&seen, &held(&seen)).await.unwrap() else { panic!() };
}

#[tokio::test]
async fn a_newer_format_is_called_so_and_left_alone() {
    let url = EtcdServer::shared().url("bad-newer");
    let lock = lock(&url);
    let mut client = client(&url).await;
    client.put(lock.key(), Garbage::Newer.bytes(), None).await.unwrap();
    let error = lock.observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat);
    assert_says(&error, &["bad-newer", "4711", "update this candidate"], &[]);
    let error = lock.watch().next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat);
}

/// Longer than an elector waits for anything.
#[tokio::test]
async fn a_year_s_lease_is_not_believed() {
    let url = EtcdServer::shared().url("bad-year");
    let lock = lock(&url);
    let mut client = client(&url).await;
    let seen = lock.observe().await.unwrap();
    let year = Duration::from_secs(365 * 86_400);
    let record = Record { lease_duration: year, ..held(&seen) };
    client.put(lock.key(), record.to_json(), None).await.unwrap();
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.record.unwrap(), Record::unreadable(seen.era));
}
