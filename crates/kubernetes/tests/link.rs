//! The way to the apiserver: what it swallows costs a call, and no more.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::common::Subject;
use futures::{StreamExt, stream::BoxStream};
use leasehold_core::{
    Candidate, Elector, Error, ErrorKind, LeaseLock, Observation, Record, Status, Swap, Timing,
    create_free,
};
use leasehold_kubernetes::{KubernetesConfig, KubernetesLock};
use leasehold_testkit::{Direction, Proxy};
use tokio::time;
use tokio_util::sync::CancellationToken;

/// One address and several links behind it: each connection takes the one that is current when it is
/// made.
struct Front {
    links: Arc<[Proxy; 2]>,
    current: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    address: SocketAddr,
    /// Of the subject's lease.
    url: String,
}

impl Front {
    fn of(subject: &Subject) -> Self {
        let server = subject.server.address();
        let links = Arc::new([0, 1].map(|_| Proxy::start(server).unwrap()));
        let (current, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (there, now, end) = (links.clone(), current.clone(), ended.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                there[now.load(Ordering::Relaxed)].carry(client.unwrap()).unwrap();
            }
        });
        let url = subject.server.url_through(address, &subject.name);
        Self { links, current, ended, address, url }
    }

    fn config(&self) -> KubernetesConfig {
        KubernetesConfig::from_url(&self.url).unwrap().0
    }

    /// Swallows everything on the connections that there are. New ones work.
    fn swallow(&self) {
        let current = self.current.fetch_xor(1, Ordering::Relaxed);
        self.links[current].black_hole(Direction::Both);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = std::net::TcpStream::connect(self.address);
    }
}

/// Calls of 600 ms at most.
fn timing() -> Timing {
    let millis = Duration::from_millis;
    Timing::new(millis(3_000), millis(2_000), millis(400)).unwrap()
}

fn elector(lock: KubernetesLock, name: &str) -> Elector {
    Elector::new(lock, Candidate::new(name).unwrap()).with_timing(timing())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_open_connections_are_swallowed_leads_on_through_new_ones() {
    let subject = Subject::new();
    let front = Front::of(&subject);
    let lock = subject.lock_with(front.config()).await;
    create_free(&lock).await.unwrap();
    let elector = elector(lock, "a");
    let leadership = elector.campaign(&CancellationToken::new()).await.unwrap();
    for _ in 0..3 {
        front.swallow();
        let began = Instant::now();
        // Longer than it could lead without a renewal.
        while began.elapsed() < Duration::from_secs(4) {
            assert!(leadership.is_current(), "lost after {:?}", began.elapsed());
            time::sleep(Duration::from_millis(20)).await;
        }
        front.links[1 - front.current.load(Ordering::Relaxed)].heal();
    }
    leadership.resign().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_whose_open_connections_are_swallowed_watches_again_on_new_ones() {
    let subject = Subject::new();
    let front = Front::of(&subject);
    let direct = subject.lock().await;
    create_free(&direct).await.unwrap();
    let leader = elector(direct, "a");
    let leadership = leader.campaign(&CancellationToken::new()).await.unwrap();
    let standby = elector(subject.lock_with(front.config()).await, "b");
    let shutdown = CancellationToken::new();
    let campaign = async {
        let leadership = standby.campaign(&shutdown).await.unwrap();
        (leadership, Instant::now())
    };
    let disturb = async {
        // It follows before it is disturbed.
        let follows = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
        standby.status().wait_for(follows).await.unwrap();
        front.swallow();
        // It notices when the lease seems to have lapsed: one call later, or, where that was sent on a
        // new connection and the watch alone is deaf, two seconds later. It looks and watches on
        // connections of their own.
        let began = Instant::now();
        while front.links[front.current.load(Ordering::Relaxed)].connections() < 2 {
            assert!(began.elapsed() < Duration::from_secs(10), "it does not watch again");
            time::sleep(Duration::from_millis(10)).await;
        }
        let resigned = Instant::now();
        leadership.resign().await;
        resigned
    };
    let ((leadership, led), resigned) = futures::future::join(campaign, disturb).await;
    let took = led.saturating_duration_since(resigned);
    assert!(took < Duration::from_secs(2), "a release was seen after {took:?}");
    leadership.resign().await;
}

/// What a watch shows until it shows this, and how long that takes. It neither ends nor fails.
async fn until_shown(
    watch: &mut BoxStream<'static, Result<Observation, Error>>,
    wanted: &Observation,
) -> Duration {
    let began = Instant::now();
    loop {
        let next = time::timeout(Duration::from_secs(5), watch.next()).await;
        if next.unwrap().unwrap().unwrap() == *wanted {
            return began.elapsed();
        }
    }
}

/// Makes it free once more.
async fn written(lock: &KubernetesLock) -> Observation {
    let seen = lock.observe().await.unwrap();
    match lock.swap(&seen, &Record::free(seen.era.clone())).await.unwrap() {
        Swap::Written(seen) => seen,
        Swap::Refused(there) => panic!("refused: {there:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_another_way_where_a_call_on_its_connections_is_not_answered() {
    let subject = Subject::new();
    let front = Front::of(&subject);
    let lock = subject.lock_with(front.config()).await;
    create_free(&lock).await.unwrap();
    let mut watch = lock.watch();
    let seen = watch.next().await.unwrap().unwrap();
    front.swallow();
    time::timeout(Duration::from_millis(300), lock.observe()).await.unwrap_err();
    // At once, and not after the two seconds below: it looks again, and what is written then is shown.
    let took = until_shown(&mut watch, &seen).await;
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    let seen = written(&lock).await;
    let took = until_shown(&mut watch, &seen).await;
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_does_not_show_what_was_written_is_begun_again() {
    let subject = Subject::new();
    let front = Front::of(&subject);
    let lock = Arc::new(subject.lock_with(front.config()).await);
    create_free(&lock).await.unwrap();
    let mut watch = lock.watch();
    let seen = watch.next().await.unwrap().unwrap();
    front.swallow();
    // Waits on the one connection that is idle, so that the other call gets a new one.
    let waiting = lock.clone();
    let waits = tokio::spawn(async move { waiting.observe().await });
    time::sleep(Duration::from_millis(100)).await;
    let free = Record::free(seen.era.clone());
    let Swap::Written(seen) = lock.swap(&seen, &free).await.unwrap() else { panic!("refused") };
    let took = until_shown(&mut watch, &seen).await;
    // It is given two seconds.
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(4), "{took:?}");
    waits.abort();
}

#[tokio::test]
async fn a_server_that_never_answers_costs_a_call_and_no_more() {
    let subject = Subject::new();
    let front = Front::of(&subject);
    front.links[0].black_hole(Direction::Both);
    let began = Instant::now();
    let error = KubernetesLock::connect(&front.url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    front.links[0].heal();
    KubernetesLock::connect(&front.url).await.unwrap();
}
