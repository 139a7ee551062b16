//! What an election costs an etcd: one transaction for each renewal, and nothing for those who wait.

use std::time::Duration;

use futures::StreamExt;
use leasehold::{LeaseLock, Timing, connect};
use leasehold_integration::{Election, within};
use leasehold_testkit::{
    Direction, Proxy,
    etcd::{EtcdOptions, EtcdServer},
};
use tokio::{task::block_in_place, time};

const STANDBYS: u64 = 3;
const RENEWALS: usize = 30;
/// What is under way when the link is cut has come after this, or never does.
const SETTLED: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_is_one_transaction_and_a_standby_that_is_told_of_changes_asks_nothing() {
    let server = EtcdOptions::new().own().start().unwrap();
    let link = Proxy::start(server.address()).unwrap();
    // Renewed often, and patient: a busy machine must not look like a store that does not answer.
    let timing =
        Timing::new(Duration::from_secs(15), Duration::from_secs(10), Duration::from_millis(40))
            .unwrap();
    let election = Election::of_a_free_lease(&server.url("jobs"), timing).await;

    let leader = election.stand("leader", &server.url_through(link.address(), "jobs")).await;
    let token = leader.leads().await;
    let mut standbys = Vec::new();
    for _ in 0..STANDBYS {
        let standby = election.stand("standby", &server.url("jobs")).await;
        standby.follows("leader").await;
        standbys.push(standby);
    }
    let mut renewals = connect(&server.url("jobs")).await.unwrap().watch();
    within("a first look", "", renewals.next()).await.unwrap().unwrap();

    // What is counted does not change meanwhile: the leader's requests do not arrive.
    link.black_hole(Direction::Requests);
    let before = settled(&server).await;
    link.heal();
    for _ in 0..RENEWALS {
        let renewal = within("a renewal", "", renewals.next()).await.unwrap().unwrap();
        assert_eq!(renewal.record.unwrap().token, token, "one term all the time");
    }
    link.black_hole(Direction::Requests);
    let after = settled(&server).await;
    link.heal();

    let renewed = after.revision - before.revision;
    assert!(renewed >= RENEWALS as u64, "{before:?} {after:?}");
    assert_eq!(after.transactions - before.transactions, renewed, "{before:?} {after:?}");
    assert_eq!(after.all - before.all, renewed, "nothing else is asked: {before:?} {after:?}");

    leader.end().await;
    for standby in standbys {
        standby.end().await;
    }
}

/// Once nothing is under way any more. Nor does anybody look any more who was told of a change while
/// he looked.
async fn settled(server: &EtcdServer) -> Calls {
    let mut before = None;
    let steady = async {
        loop {
            let now = block_in_place(|| Calls::of(server));
            if before.replace(now) == Some(now) {
                return now;
            }
            time::sleep(SETTLED).await;
        }
    };
    within("nothing is asked any more", "", steady).await
}

/// How many requests were answered, and how often something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calls {
    transactions: u64,
    all: u64,
    revision: u64,
}

impl Calls {
    fn of(server: &EtcdServer) -> Self {
        let handled = |labels: &[_]| server.metric("grpc_server_handled_total", labels) as u64;
        Self {
            transactions: handled(&[("grpc_method", "Txn")]),
            all: handled(&[]),
            revision: server.metric("etcd_debugging_mvcc_current_revision", &[]) as u64,
        }
    }
}
