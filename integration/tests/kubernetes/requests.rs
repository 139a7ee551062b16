//! What an election costs an apiserver: one PUT for each renewal, and nothing for those who wait. And an
//! apiserver to which that is too much: it refuses, and says when one may come again.

mod hog;
mod refuser;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::join_all};
use hog::Hog;
use leasehold::{LeaseLock, Record, Timing, connect};
use leasehold_integration::{Election, Pair, within};
use leasehold_testkit::{
    Direction, Proxy,
    kubernetes::{Apiserver, ApiserverOptions},
};
use refuser::Refuser;
use tokio::{task::block_in_place, time};

use super::timing;

const STANDBYS: u64 = 2;
/// How long they are counted.
const COUNTED: Duration = Duration::from_secs(60);
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
    let timing = Timing::new(ms(60_000), ms(45_000), ms(100)).unwrap();
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
    while began.elapsed() < COUNTED {
        renewal().await;
    }
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

const LEASES: usize = 5;

async fn pairs(
    store: SocketAddr,
    url: impl Fn(SocketAddr, &str) -> String + Send + Sync,
) -> Vec<Pair> {
    let url = &url;
    let pair = |number| async move {
        let lease = format!("lease-{number}");
        Pair::start(store, |address| url(address, &lease), timing()).await
    };
    join_all((0..LEASES).map(pair)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_429_leaves_no_two_leaders_and_then_one() {
    const USER: &str = "candidate";

    let server = block_in_place(|| ApiserverOptions::new().own().start().unwrap());
    block_in_place(|| {
        server.token(USER);
        let user = format!("--serviceaccount={}:{USER}", server.namespace());
        server.kubectl(&["create", "rolebinding", USER, "--clusterrole=cluster-admin", &user]);
        server.until_may(USER, "update", "leases", true);
    });
    let pairs = pairs(server.address(), |address, lease| {
        let kubeconfig = block_in_place(|| server.kubeconfig_through(address, USER));
        server.url_with(&kubeconfig, lease)
    })
    .await;
    for _ in 0..2 {
        let before = too_many(&server);
        Pair::without_the_store(&pairs, || Hog::start(&server, USER), |hog| hog.end(&server)).await;
        let refused = too_many(&server) - before;
        assert!(refused >= 2.0 * LEASES as f64, "it has refused {refused}");
    }
    for pair in pairs {
        pair.end().await;
    }
}

/// How many requests about Leases were answered so.
fn too_many(server: &Apiserver) -> f64 {
    let labels = [("code", "429"), ("resource", "leases")];
    block_in_place(|| server.metric("apiserver_request_total", &labels))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_503_and_half_a_minute_leaves_no_two_leaders_and_then_one_before() {
    const LATER: Duration = Duration::from_secs(30);

    let server = block_in_place(|| ApiserverOptions::new().own().start().unwrap());
    let (refuser, front) = (Refuser::start(&server).await, Proxy::start(server.address()).unwrap());
    let pairs = pairs(front.address(), |address, lease| server.url_through(address, lease)).await;
    let leads_to = |target| {
        front.set_target(target);
        front.reset();
    };
    for _ in 0..2 {
        let began = Instant::now();
        let before = refuser.asked();
        let strike = || leads_to(refuser.address);
        Pair::without_the_store(&pairs, strike, |()| leads_to(server.address())).await;
        let (asked, took) = (refuser.asked() - before, began.elapsed());
        assert!(asked >= 2 * LEASES as u64, "it has refused {asked}");
        assert!(took < LATER, "they have waited as they were told: {took:?}");
    }
    for pair in pairs {
        pair.end().await;
    }
}

/// Nobody is kept waiting behind one's back: above all, no write is sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_for_a_while_is_one_request_and_an_error_at_once() {
    let server = block_in_place(|| ApiserverOptions::new().own().start().unwrap());
    let (refuser, front) = (Refuser::start(&server).await, Proxy::start(server.address()).unwrap());
    let url = server.url_through(front.address(), "jobs");
    leasehold::create_free(&connect(&url).await.unwrap()).await.unwrap();
    let lock = connect(&url).await.unwrap();
    let seen = lock.observe().await.unwrap();

    front.set_target(refuser.address);
    front.reset();
    // A connection that was reset is no refusal.
    while refuser.asked() == 0 {
        lock.observe().await.unwrap_err();
    }
    let (before, began) = (refuser.asked(), Instant::now());
    let error = lock.observe().await.unwrap_err();
    assert!(error.to_string().contains("it has no time"), "{error}");
    lock.swap(&seen, &Record::free(seen.era.clone())).await.unwrap_err();
    assert_eq!(refuser.asked() - before, 2);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());

    front.set_target(server.address());
    front.reset();
    assert_eq!(within("it answers", "", answered(&lock)).await, seen);
}

async fn answered(lock: &impl LeaseLock) -> leasehold::Observation {
    loop {
        if let Ok(seen) = lock.observe().await {
            return seen;
        }
    }
}
