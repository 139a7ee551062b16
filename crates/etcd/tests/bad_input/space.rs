//! An etcd that is full.

use leasehold_core::{ErrorKind, LeaseLock, Swap};
use leasehold_testkit::etcd::EtcdOptions;

use super::{assert_says, held, lock};

#[tokio::test]
async fn a_full_etcd_is_said_to_be_full_and_keeps_what_it_has() {
    let server = EtcdOptions::new().quota(2 << 20).start().unwrap();
    let lock = lock(&server.url("jobs"));
    let seen = lock.observe().await.unwrap();
    let Swap::Written(seen) = lock.swap(&seen, &held(&seen)).await.unwrap() else { panic!() };
    let filler = "x".repeat(1 << 16);
    while server.try_etcdctl(&["put", "filler", &filler]).is_ok() {}

    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
    assert_says(&error, &["database space exceeded", "quota-backend-bytes", "alarm disarm"], &[]);
    assert_eq!(lock.observe().await.unwrap(), seen);

    // What the advice says helps.
    let deleted = server.etcdctl(&["del", "filler", "--write-out=fields"]);
    let revision = deleted.lines().find_map(|line| line.strip_prefix("\"Revision\" : "));
    server.etcdctl(&["compact", "--physical", revision.unwrap()]);
    server.etcdctl(&["defrag"]);
    server.etcdctl(&["alarm", "disarm"]);
    assert!(matches!(lock.swap(&seen, &held(&seen)).await.unwrap(), Swap::Written(_)));
}
