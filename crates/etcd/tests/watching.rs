//! One watch for all leases of a process: it misses nothing, and ends with its last reader.

use std::time::Duration;

use crate::common::{client, deaf::DeafStreams, held, lock};
use futures::{FutureExt as _, StreamExt as _, stream::BoxStream};
use leasehold_core::{Error, LeaseLock, LeaseName, Observation, Record, Swap};
use leasehold_etcd::{Etcd, EtcdConfig};
use leasehold_testkit::{
    Direction, Proxy,
    etcd::{EtcdOptions, EtcdServer},
};
use tokio::time::{Instant, sleep, timeout};

type Watch = BoxStream<'static, Result<Observation, Error>>;

const LIMIT: Duration = Duration::from_secs(20);
/// Of the leases whose silence is watched.
const LEASE: Duration = Duration::from_millis(250);

async fn next(watch: &mut Watch) -> Observation {
    timeout(LIMIT, watch.next()).await.expect("nothing is pushed").unwrap().unwrap()
}

async fn shown(watch: &mut Watch, wanted: &Observation) {
    timeout(LIMIT, async { while watch.next().await.unwrap().unwrap() != *wanted {} })
        .await
        .expect("it is not pushed");
}

async fn write(lock: &impl LeaseLock, seen: &Observation, record: &Record) -> Observation {
    match lock.swap(seen, record).await.unwrap() {
        Swap::Written(written) => written,
        Swap::Refused(there) => panic!("{there:?}"),
    }
}

fn metric(server: &EtcdServer, name: &str) -> f64 {
    server.metric(name, &[])
}

fn ranges(server: &EtcdServer) -> f64 {
    server.metric("grpc_server_handled_total", &[("grpc_method", "Range")])
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "not so: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_hundred_leases_share_one_watch_and_standbys_ask_for_nothing() {
    let server = EtcdOptions::new().own().start().unwrap();
    let (config, _) = EtcdConfig::from_url(&server.url("jobs")).unwrap();
    let etcd = Etcd::new(config);
    let leader = lock(&server.url("jobs-7"));
    let mut watches = Vec::new();
    for number in 0..100 {
        let lock = etcd.lock(LeaseName::new(format!("jobs-{number}")).unwrap());
        let mut watch = lock.watch();
        next(&mut watch).await;
        watches.push(watch);
    }
    assert_eq!(metric(&server, "etcd_debugging_mvcc_watcher_total"), 1.0);
    assert_eq!(metric(&server, "etcd_debugging_mvcc_watch_stream_total"), 1.0);

    let before = ranges(&server);
    let mut seen = leader.observe().await.unwrap();
    for _ in 0..10 {
        seen = write(&leader, &seen, &held(&seen)).await;
        shown(&mut watches[7], &seen).await;
    }
    assert_eq!(ranges(&server) - before, 1.0, "the leader's look, and nothing else");

    watches.truncate(1);
    assert_eq!(metric(&server, "etcd_debugging_mvcc_watcher_total"), 1.0);
    watches.clear();
    until("nobody watches", || metric(&server, "etcd_debugging_mvcc_watcher_total") == 0.0).await;
}

/// With hundreds of leases of others under the prefix, to be told of each of their renewals would cost
/// more than the lease.
#[tokio::test]
async fn a_lease_that_is_alone_is_told_of_no_other_until_there_is_another() {
    let server = EtcdOptions::new().own().start().unwrap();
    let told = || server.metric("grpc_server_msg_sent_total", &[("grpc_method", "Watch")]);
    let (config, _) = EtcdConfig::from_url(&server.url("jobs")).unwrap();
    let etcd = Etcd::new(config);
    let mut jobs = etcd.lock(LeaseName::new("jobs").unwrap()).watch();
    next(&mut jobs).await;
    let begun = told();
    let (of_jobs, of_others) = (lock(&server.url("jobs")), lock(&server.url("others")));
    let mut others = of_others.observe().await.unwrap();
    for _ in 0..20 {
        others = write(&of_others, &others, &held(&others)).await;
    }
    let seen = of_jobs.observe().await.unwrap();
    let seen = write(&of_jobs, &seen, &held(&seen)).await;
    assert_eq!(next(&mut jobs).await, seen);
    until("one message for one change", || told() - begun >= 1.0).await;
    assert_eq!(told() - begun, 1.0);

    let mut watch = etcd.lock(LeaseName::new("others").unwrap()).watch();
    assert_eq!(next(&mut watch).await, others);
    others = write(&of_others, &others, &held(&others)).await;
    assert_eq!(next(&mut watch).await, others);
    let seen = write(&of_jobs, &seen, &held(&seen)).await;
    shown(&mut jobs, &seen).await;
    assert_eq!(metric(&server, "etcd_debugging_mvcc_watcher_total"), 1.0);
}

#[tokio::test]
async fn a_connection_that_breaks_is_replaced_and_nothing_is_missed() {
    let server = EtcdOptions::new().own().start().unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    let writer = lock(&server.url("jobs"));
    let seen = writer.observe().await.unwrap();
    let mut seen = write(&writer, &seen, &held(&seen)).await;
    let mut watch = lock(&server.url_through(proxy.address(), "jobs")).watch();
    assert_eq!(next(&mut watch).await, seen);
    for _ in 0..5 {
        proxy.reset();
        let mut written = Vec::new();
        for _ in 0..3 {
            seen = write(&writer, &seen, &held(&seen)).await;
            written.push(seen.clone());
        }
        // Each of them, in order, by the same watch.
        for written in &written {
            assert_eq!(next(&mut watch).await, *written);
        }
    }
}

#[tokio::test]
async fn what_was_compacted_meanwhile_is_looked_for() {
    let server = EtcdOptions::new().own().start().unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    let writer = lock(&server.url("jobs"));
    let seen = writer.observe().await.unwrap();
    let mut seen = write(&writer, &seen, &held(&seen)).await;
    let mut watch = lock(&server.url_through(proxy.address(), "jobs")).watch();
    next(&mut watch).await;

    proxy.black_hole(Direction::Replies);
    for _ in 0..5 {
        seen = write(&writer, &seen, &held(&seen)).await;
    }
    server.etcdctl(&["compact", &seen.version.number().to_string()]);
    proxy.heal();
    proxy.reset();
    shown(&mut watch, &seen).await;
    seen = write(&writer, &seen, &held(&seen)).await;
    shown(&mut watch, &seen).await;
}

/// A link that swallows what is pushed looks alive. One read for each lease duration finds it out.
#[tokio::test]
async fn a_deaf_watch_is_found_out_within_a_lease_and_another_member_is_listened_to() {
    let server = EtcdOptions::new().own().start().unwrap();
    let links = [(); 2].map(|()| Proxy::start(server.address()).unwrap());
    let writer = lock(&server.url("jobs"));
    let seen = writer.observe().await.unwrap();
    let mut seen = write(&writer, &seen, &held(&seen)).await;
    let config = EtcdConfig::new(links.each_ref().map(|link| ("127.0.0.1", link.address().port())));
    let etcd = Etcd::new(config.unwrap());
    let mut watch = etcd.lock(LeaseName::new("jobs").unwrap()).watch();
    assert_eq!(next(&mut watch).await, seen);
    assert_eq!((links[0].connections(), links[1].connections()), (1, 0));

    links[0].black_hole(Direction::Replies);
    let began = Instant::now();
    seen = write(&writer, &seen, &held(&seen)).await;
    assert_eq!(next(&mut watch).await, seen);
    // A second of silence, a second without an answer.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(links[1].connections(), 1);
}

#[tokio::test]
async fn a_quiet_watch_costs_one_read_for_each_lease_duration_for_all_leases_together() {
    let server = EtcdOptions::new().own().start().unwrap();
    let (config, _) = EtcdConfig::from_url(&server.url("jobs")).unwrap();
    let etcd = Etcd::new(config);
    let mut watches = Vec::new();
    for number in 0..10 {
        let lock = etcd.lock(LeaseName::new(format!("jobs-{number}")).unwrap());
        let seen = lock.observe().await.unwrap();
        let record = Record { lease_duration: LEASE, ..held(&seen) };
        write(&lock, &seen, &record).await;
        let mut watch = lock.watch();
        next(&mut watch).await;
        watches.push(watch);
    }
    let (before, began) = (ranges(&server), Instant::now());
    // No event to await: the client reads at intervals of its own clock.
    sleep(LEASE * 7 / 2).await;
    let reads = ranges(&server) - before;
    let leases = began.elapsed().div_duration_f64(LEASE);
    let expected = leases - 1.5..=leases + 0.5;
    assert!(expected.contains(&reads), "{reads} reads in {leases} lease durations");
    assert_eq!(metric(&server, "etcd_debugging_mvcc_watcher_total"), 1.0);
}

/// etcd answers, and pushes nothing: what it has is compared with what was told.
#[tokio::test]
async fn a_watch_that_is_deaf_on_a_connection_that_answers_is_found_out() {
    let server = EtcdOptions::new().own().start().unwrap();
    let deaf = DeafStreams::in_front_of(server.address()).await;
    let writer = lock(&server.url("jobs"));
    let seen = writer.observe().await.unwrap();
    let mut seen = write(&writer, &seen, &held(&seen)).await;
    let reader = lock(&server.url_through(deaf.address, "jobs"));
    let mut watch = reader.watch();
    assert_eq!(next(&mut watch).await, seen);
    for _ in 0..2 {
        deaf.make_deaf();
        seen = write(&writer, &seen, &held(&seen)).await;
        assert_eq!(reader.observe().await.unwrap(), seen, "requests are answered");
        assert_eq!(next(&mut watch).await, seen);
        assert!(deaf.swallowed() > 0);
    }
}

/// Whoever reads more slowly than is written sees the last, and is not told all that was in between.
#[tokio::test]
async fn a_reader_that_does_not_read_is_shown_the_last_and_remembers_little() {
    let server = EtcdOptions::new().own().start().unwrap();
    let told = || server.metric("grpc_server_msg_sent_total", &[("grpc_method", "Watch")]);
    let lock = lock(&server.url("jobs"));
    let mut watch = lock.watch();
    let mut seen = next(&mut watch).await;
    let begun = told();
    for _ in 0..100 {
        seen = write(&lock, &seen, &held(&seen)).await;
    }
    until("all are told", || told() - begun >= 100.0).await;
    // They have come here, too, once what was written after them has.
    lock.observe().await.unwrap();
    assert_eq!(next(&mut watch).await, seen);
    seen = write(&lock, &seen, &held(&seen)).await;
    assert_eq!(next(&mut watch).await, seen);
}

/// What listens for all is dropped at once where no runtime takes it, and says so.
#[test]
fn a_runtime_that_closes_ends_a_watch_and_holds_nobody_up() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let lock = lock("etcd://127.0.0.1:1/jobs");
        let end = || lock.watch().next().now_or_never().expect("it ends").unwrap();
        assert!(end().is_err(), "without a runtime");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let closing = runtime.handle().clone();
        runtime.shutdown_timeout(LIMIT);
        let _inside = closing.enter();
        assert!(end().is_err(), "in a closing one");
        done.send(()).unwrap();
    });
    ended.recv_timeout(LIMIT).expect("held up, or failed");
}

#[tokio::test]
async fn a_deletion_is_pushed_as_an_absence_and_a_creation_after_it() {
    let url = EtcdServer::shared().url("watch-deletion");
    let lock = lock(&url);
    let mut client = client(&url).await;
    client.delete(lock.key(), None).await.unwrap();
    let mut watch = lock.watch();
    let absent = next(&mut watch).await;
    assert_eq!(absent.record, None);
    let written = write(&lock, &absent, &held(&absent)).await;
    shown(&mut watch, &written).await;
    client.delete(lock.key(), None).await.unwrap();
    let deleted = next(&mut watch).await;
    assert_eq!(deleted.record, None);
    assert!(deleted.version.number() > written.version.number());
    assert_eq!(deleted.version, lock.observe().await.unwrap().version);
}
