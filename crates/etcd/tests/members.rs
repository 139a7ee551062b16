//! Three members, of which one fails: the one that is talked to. (What becomes of leaders when one is
//! frozen or cut off, and when etcd's own leader is, is shown in `integration/tests/etcd`.)

use std::{sync::LazyLock, time::Duration};

use crate::common::lock;
use futures::{FutureExt as _, StreamExt as _, stream::BoxStream};
use leasehold_core::{
    Candidate, Elector, Error, ErrorKind, Leadership, LeaseLock, LeaseName, Observation, Timing,
    create_free,
};
use leasehold_etcd::{Etcd, EtcdConfig};
use leasehold_testkit::{
    Direction, Proxy,
    etcd::{EtcdCluster, EtcdOptions, EtcdServer},
};
use tokio::{
    net::TcpSocket,
    sync::Mutex,
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// For one test after the other.
static CLUSTER: LazyLock<Mutex<EtcdCluster>> =
    LazyLock::new(|| Mutex::new(EtcdCluster::with(EtcdOptions::new().auth()).unwrap()));

async fn cluster() -> tokio::sync::MutexGuard<'static, EtcdCluster> {
    let cluster = spawn_blocking(|| &*CLUSTER).await.unwrap().lock().await;
    // A leader's first call goes to the first member: the others are to decide without it.
    if cluster.leader() == 0 {
        cluster.move_leader(1);
    }
    cluster
}

async fn leader(url: &str) -> Leadership {
    create_free(&lock(url)).await.unwrap();
    let ms = Duration::from_millis;
    let timing = Timing::new(ms(1_000), ms(700), ms(150)).unwrap();
    let elector = Elector::new(lock(url), Candidate::new("pod-a").unwrap()).with_timing(timing);
    elector.campaign(&CancellationToken::new()).await.unwrap()
}

type Watch = BoxStream<'static, Result<Observation, Error>>;

/// What is pushed goes on within three seconds, and a leader goes on leading for so long.
async fn goes_on(lead: &Leadership, watch: &mut Watch, fault: &str) {
    let began = Instant::now();
    let mut renewals = 0;
    while began.elapsed() < Duration::from_secs(4) {
        tokio::select! {
            () = lead.stopping() => panic!("{fault}: the lease was lost after {:?}", began.elapsed()),
            seen = watch.next() => {
                seen.unwrap().unwrap();
                renewals += usize::from(began.elapsed() > Duration::from_secs(3));
            }
            () = sleep(Duration::from_millis(100)) => {}
        }
    }
    assert!(lead.is_current(), "{fault}");
    assert!(renewals >= 3, "{fault}: {renewals} renewals were pushed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_member_of_three_costs_no_leader_its_lease_and_no_reader_its_watch() {
    let cluster = cluster().await;
    let url = cluster.url("dead");
    let lead = leader(&url).await;
    let mut watch = lock(&url).watch();
    timeout(Duration::from_secs(10), watch.next()).await.unwrap();
    cluster.member(0).kill();
    goes_on(&lead, &mut watch, "dead").await;
    cluster.restart([0]);
    goes_on(&lead, &mut watch, "healed").await;
    lead.resign().await;
}

/// A link that swallows packets looks alive for minutes, and leads to somebody again at once for
/// whoever connects anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_vain_is_not_repeated_on_the_same_connection() {
    let cluster = cluster().await;
    let link = Proxy::start(cluster.member(0).address()).unwrap();
    let lock = lock(&cluster.url_through([link.address()], "in-vain"));
    lock.observe().await.unwrap();
    cluster.member(0).freeze();
    link.set_target(cluster.member(1).address());
    // As an elector does.
    let short = Duration::from_millis(200);
    timeout(short, lock.observe()).await.unwrap_err();
    timeout(Duration::from_secs(1), lock.observe()).await.expect("no answer").unwrap();
    cluster.member(0).thaw();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_it_is_unknown_and_afterwards_goes_on() {
    let cluster = cluster().await;
    let url = cluster.url("majority");
    let lock = lock(&url);
    let seen = lock.observe().await.unwrap();
    cluster.member(1).kill();
    cluster.member(2).kill();
    let error = lock.swap(&seen, &crate::common::held(&seen)).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("majority"), "{said}");
    cluster.restart([1, 2]);
    lock.observe().await.unwrap();
}

/// Two etcds in one URL that are no cluster: each would give the lease to somebody.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_another_cluster_is_refused_while_the_one_is_reached() {
    let cluster = spawn_blocking(EtcdCluster::start).await.unwrap().unwrap();
    let stranger = EtcdOptions::new().own().start().unwrap();
    let member = cluster.member(0);
    let lock = lock(&cluster.url_through([member.address(), stranger.address()], "jobs"));
    let era = lock.observe().await.unwrap().era;
    let has_a_leader = async |wanted: f64| {
        while member.metric("etcd_server_has_leader", &[]) != wanted {
            sleep(Duration::from_millis(20)).await;
        }
    };
    // It says that it has no leader, on a connection that is as good as before.
    cluster.isolate(0);
    has_a_leader(0.0).await;
    let error = lock.observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let said = error.to_string();
    assert!(said.contains(&stranger.address().to_string()), "{said}");
    assert!(said.contains("of the cluster") && said.contains("one cluster alone"), "{said}");
    cluster.rejoin(0);
    has_a_leader(1.0).await;
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.era, era);
}

/// Nobody knows what became of it; and the next member would take it, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_sent_once() {
    let server = EtcdOptions::new().own().start().unwrap();
    let asked =
        |server: &EtcdServer| server.metric("grpc_server_started_total", &[("grpc_method", "Txn")]);
    let link = Proxy::start(server.address()).unwrap();
    let config = [link.address(), server.address()].map(|at| (at.ip().to_string(), at.port()));
    let etcd = Etcd::new(EtcdConfig::new(config).unwrap());
    let lock = etcd.lock(LeaseName::new("jobs").unwrap());
    let seen = lock.observe().await.unwrap();
    let before = asked(&server);
    link.black_hole(Direction::Replies);
    let record = crate::common::held(&seen);
    let (swapped, ()) = tokio::join!(lock.swap(&seen, &record), async {
        while asked(&server) == before {
            sleep(Duration::from_millis(10)).await;
        }
        link.reset();
    });
    swapped.unwrap_err();
    assert_eq!(asked(&server) - before, 1.0);
    assert_eq!(lock.observe().await.unwrap().record, Some(record));
}

/// One who gives up, perhaps for he was not scheduled for long, takes the connection from nobody.
#[tokio::test]
async fn a_call_that_is_given_up_while_others_are_answered_leaves_their_connection() {
    let link = Proxy::start(EtcdServer::shared().address()).unwrap();
    let lock = lock(&EtcdServer::shared().url_through(link.address(), "given-up"));
    lock.observe().await.unwrap();
    let mut given_up = lock.observe();
    assert!((&mut given_up).now_or_never().is_none());
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(20) {
        lock.observe().await.unwrap();
    }
    drop(given_up);
    // Whoever would connect anew finds nobody.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    link.set_target(nobody.local_addr().unwrap());
    lock.observe().await.unwrap();
}
