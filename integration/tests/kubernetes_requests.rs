//! What an election costs an apiserver: one PUT for each renewal, and nothing for those who wait.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::time::{Duration, Instant};

use futures::StreamExt;
use leasehold::{LeaseLock, Timing, connect};
use leasehold_integration::{Election, within};
use leasehold_testkit::{
    Direction, Proxy,
    kubernetes::{Apiserver, ApiserverOptions},
};
use tokio::{task::block_in_place, time};

const STANDBYS: u64 = 2;
const RENEWALS: u64 = 200;
/// What is under way when the link is cut has come after this, or never does.
const SETTLED: Duration = Duration::from_millis(300);
/// The apiserver renews a Lease of its own that often.
const ITS_OWN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_is_one_put_and_a_standby_that_is_told_of_changes_asks_nothing() {
    let server = block_in_place(|| ApiserverOptions::new().own().start().unwrap());
    let link = Proxy::start(server.address()).unwrap();
    // Renewed often, and patient: a busy machine must not look like a store that does not answer.
    let ms = Duration::from_millis;
    let timing = Timing::new(ms(15_000), ms(10_000), ms(100)).unwrap();
    let url = server.url("jobs");
    let election = Election::of_a_free_lease(&url, timing).await;
    let leader = election.stand("leader", &server.url_through(link.address(), "jobs")).await;
    let token = leader.leads().await;
    let mut standbys = Vec::new();
    for _ in 0..STANDBYS {
        let standby = election.stand("standby", &url).await;
        standby.follows("leader").await;
        standbys.push(standby);
    }
    let mut renewals = connect(&url).await.unwrap().watch();
    let mut renewal = async || {
        let seen = within("a renewal", "", renewals.next()).await.unwrap().unwrap();
        let record = seen.record.unwrap();
        assert_eq!(record.token, token, "one term all the time");
        record.stamp.unwrap().attempt
    };
    // Its own first look is over.
    renewal().await;

    // What is counted does not change meanwhile: the leader's requests do not arrive.
    link.black_hole(Direction::Requests);
    let first = attempt(&url).await;
    let (before, began) = (settled(&server).await, Instant::now());
    link.heal();
    while renewal().await < first + RENEWALS {}
    link.black_hole(Direction::Requests);
    let (after, took) = (settled(&server).await, began.elapsed());
    let renewed = attempt(&url).await - first;
    link.heal();

    // Of its own accord the server writes to no Lease but that.
    let its_own = took.div_duration_f64(ITS_OWN) as u64 + 1;
    let put = after.put - before.put;
    assert!((renewed..=renewed + its_own).contains(&put), "{put} for {renewed} renewals");
    assert_eq!(after.all - before.all, put, "something else is asked: {before:?} {after:?}");

    leader.end().await;
    for standby in standbys {
        standby.end().await;
    }
}

/// The number of the write that is there.
async fn attempt(url: &str) -> u64 {
    let seen = connect(url).await.unwrap().observe().await.unwrap();
    seen.record.unwrap().stamp.unwrap().attempt
}

/// Once nothing is under way any more.
async fn settled(server: &Apiserver) -> Calls {
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

/// How many requests about Leases were answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calls {
    put: u64,
    all: u64,
}

impl Calls {
    fn of(server: &Apiserver) -> Self {
        let answered = |labels: &[_]| server.metric("apiserver_request_total", labels) as u64;
        Self {
            put: answered(&[("verb", "PUT"), ("resource", "leases")]),
            all: answered(&[("resource", "leases")]),
        }
    }
}
