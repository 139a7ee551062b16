//! What a leader writes to the same etcd is refused by etcd itself once its term is over.

use std::time::Duration;

use crate::common::{client, held, lock};
use etcd_client::{Client, Txn, TxnOp};
use futures::StreamExt as _;
use leasehold_core::{
    Candidate, Elector, FencingToken, LeaseLock, Record, Swap, Tenure, Timing, create_free,
};
use leasehold_etcd::EtcdLock;
use leasehold_testkit::etcd::EtcdServer;
use tokio_util::sync::CancellationToken;

fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(2_000), ms(1_200), ms(200)).unwrap()
}

/// Whether etcd lets the term with this token write.
async fn may_write(client: &mut Client, lock: &EtcdLock, token: FencingToken) -> bool {
    let txn = Txn::new().when(lock.current_term(token)).and_then([TxnOp::put(
        format!("leasehold/{token}.of.{}", lock.key().len()),
        "42",
        None,
    )]);
    client.txn(txn).await.unwrap().succeeded()
}

#[tokio::test]
async fn the_leader_s_writes_pass_through_all_its_renewals_and_a_former_leader_s_are_refused() {
    let url = EtcdServer::shared().url("fenced-leader");
    let mut client = client(&url).await;
    create_free(&lock(&url)).await.unwrap();
    let (here, shutdown) = (lock(&url), CancellationToken::new());
    let elector =
        |name: &str| Elector::new(lock(&url), Candidate::new(name).unwrap()).with_timing(timing());
    let first = elector("pod-a").campaign(&shutdown).await.unwrap();
    let old = first.token();
    assert!(may_write(&mut client, &here, old).await, "at the beginning of the term");

    let mut watch = here.watch();
    let mut attempts = Vec::new();
    while attempts.len() < 4 {
        let record = watch.next().await.unwrap().unwrap().record.unwrap();
        assert_eq!(record.token, old);
        attempts.push(record.stamp.unwrap().attempt);
        assert!(may_write(&mut client, &here, old).await, "after renewals: {attempts:?}");
    }
    attempts.dedup();
    assert_eq!(attempts.len(), 4, "the lease was not renewed: {attempts:?}");

    first.resign().await;
    assert!(!may_write(&mut client, &here, old).await, "after the release");
    let second = elector("pod-b").campaign(&shutdown).await.unwrap();
    assert!(second.token() > old);
    assert!(!may_write(&mut client, &here, old).await, "under another leader");
    assert!(may_write(&mut client, &here, second.token()).await, "the other leader");
    second.resign().await;
}

async fn write(lock: &EtcdLock, record: impl FnOnce(Record) -> Record) -> FencingToken {
    let seen = lock.observe().await.unwrap();
    let record = record(held(&seen));
    let token = record.token;
    assert!(matches!(lock.swap(&seen, &record).await.unwrap(), Swap::Written(_)));
    token
}

#[tokio::test]
async fn whatever_replaces_a_term_ends_its_writes() {
    let url = EtcdServer::shared().url("fenced-replaced");
    let mut client = client(&url).await;
    let lock = lock(&url);
    assert!(!may_write(&mut client, &lock, FencingToken::new(1).unwrap()).await, "nobody leads");
    for replaced in 0..5 {
        let token = write(&lock, |record| record).await;
        assert!(may_write(&mut client, &lock, token).await);
        let of_the_same_token = |tenure| move |record| Record { token, tenure, ..record };
        match replaced {
            0 => _ = write(&lock, |record| record).await,
            1 => _ = write(&lock, of_the_same_token(Tenure::Vacant)).await,
            2 => _ = write(&lock, of_the_same_token(Tenure::Free)).await,
            3 => _ = client.put(lock.key(), "garbage", None).await.unwrap(),
            _ => _ = client.delete(lock.key(), None).await.unwrap(),
        }
        assert!(!may_write(&mut client, &lock, token).await, "{replaced}");
    }
}

#[tokio::test]
async fn no_token_is_taken_for_another_that_begins_so() {
    let url = EtcdServer::shared().url("fenced-digits");
    let mut client = client(&url).await;
    let lock = lock(&url);
    let token = |number| FencingToken::new(number).unwrap();
    write(&lock, |record| Record { token: token(12_345), ..record }).await;
    for other in [1, 12, 1234, 12_344, 12_346, 123_450, 123_456, 0, 1 << 62] {
        assert!(!may_write(&mut client, &lock, token(other)).await, "{other}");
    }
    assert!(may_write(&mut client, &lock, token(12_345)).await);
}
