//! The least that a candidate needs is what the manifest grants, and what is missing is named.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures::StreamExt;
use leasehold_core::{
    Candidate, Elector, Error, ErrorKind, LeaseLock, Record, Status, Swap, Timing, create_free,
};
use leasehold_kubernetes::KubernetesLock;
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::json;
use tokio::time;
use tokio_util::sync::CancellationToken;

const ROLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/role.yaml");

/// Who the manifest is for.
const USER: &str = "leasehold";

/// A namespace of its own, with what the manifest makes in it.
struct Namespace {
    server: Apiserver,
}

impl Namespace {
    fn new() -> Self {
        let namespace = Self { server: Apiserver::shared().new_namespace() };
        namespace.server.apply(&fs::read_to_string(ROLE).unwrap());
        namespace.until_granted(&["get", "create", "update", "watch"]);
        namespace
    }

    fn url(&self, lease: &str) -> String {
        self.server.url_of(USER, lease)
    }

    /// Grants these verbs alone, for all names.
    fn grant(&self, verbs: &[&str]) {
        let rules = json!([{
            "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs,
        }]);
        let patch = format!("--patch={}", json!({ "rules": rules }));
        self.server.kubectl(&["patch", "role", "leasehold", "--type=merge", &patch]);
        self.until_granted(verbs);
    }

    /// The apiserver hears of a role as everybody does: a moment after it was written.
    fn until_granted(&self, verbs: &[&str]) {
        for verb in ["get", "create", "update", "watch"] {
            self.server.until_may(USER, verb, "leases/jobs", verbs.contains(&verb));
        }
    }

    fn denied(&self, error: &Error, verb: &str) {
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        let said = error.to_string();
        for part in
            [verb, "leases", self.server.namespace(), "coordination.k8s.io", "verbs: [", "Role"]
        {
            assert!(said.contains(part), "{part:?} is missing: {said}");
        }
        self.keeps_secrets(error);
    }

    fn keeps_secrets(&self, error: &Error) {
        let said = format!("{error} {error:?} {error:#?}");
        let told = self.server.secrets().iter().any(|secret| said.contains(secret));
        assert!(!told, "{error}");
    }
}

/// Long beside what an apiserver takes on a busy machine.
fn timing() -> Timing {
    let millis = Duration::from_millis;
    Timing::new(millis(5_000), millis(3_500), millis(500)).unwrap()
}

fn elector(lock: KubernetesLock, name: &str) -> Elector {
    Elector::new(lock, Candidate::new(name).unwrap()).with_timing(timing())
}

/// How long a standby takes from the leader's release to its own term.
async fn handover(namespace: &Namespace) -> Duration {
    let lock = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap();
    create_free(&lock).await.unwrap();
    let leader = elector(lock, "a");
    let leadership = leader.campaign(&CancellationToken::new()).await.unwrap();
    let standby = elector(KubernetesLock::connect(&namespace.url("jobs")).await.unwrap(), "b");
    let shutdown = CancellationToken::new();
    let campaign = async {
        let leadership = standby.campaign(&shutdown).await.unwrap();
        (leadership, Instant::now())
    };
    let resign = async {
        let follows = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
        standby.status().wait_for(follows).await.unwrap();
        time::sleep(Duration::from_millis(500)).await;
        let resigned = Instant::now();
        leadership.resign().await;
        resigned
    };
    let ((leadership, led), resigned) = futures::future::join(campaign, resign).await;
    leadership.resign().await;
    led.saturating_duration_since(resigned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_manifest_grants_is_enough() {
    let namespace = Namespace::new();
    let took = handover(&namespace).await;
    assert!(took < timing().lease_duration() / 2, "a release was seen after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_manifest_grants_is_for_one_lease() {
    let namespace = Namespace::new();
    let error = KubernetesLock::connect(&namespace.url("others")).await.unwrap_err();
    namespace.denied(&error, "get");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_right_that_is_missing_is_named() {
    let namespace = Namespace::new();
    namespace.grant(&["create", "update", "watch"]);
    let error = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap_err();
    namespace.denied(&error, "get");

    namespace.grant(&["get", "update", "watch"]);
    let error = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap_err();
    namespace.denied(&error, "create");

    namespace.grant(&["get", "create", "watch"]);
    // Where nothing is, there is nothing to be updated yet: to connect creates nothing.
    let lock = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap();
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.record, None);
    lock.swap(&seen, &Record::unreadable(seen.era.clone())).await.unwrap();
    let error = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap_err();
    namespace.denied(&error, "update");
}

/// It reads when the lease may have lapsed, instead of polling.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_watch_follows_at_the_end_of_the_lease() {
    let namespace = Namespace::new();
    namespace.grant(&["get", "create", "update"]);
    let took = handover(&namespace).await;
    assert!(took < timing().failover_bound(), "{took:?}");
    let lock = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap();
    let mut watch = lock.watch();
    let seen = lock.observe().await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap(), seen);
    // It neither ends nor fails, or candidates would poll: it tries again after two seconds, and four.
    let began = Instant::now();
    assert_eq!(watch.next().await.unwrap().unwrap(), seen);
    assert!(began.elapsed() > Duration::from_secs(1), "it polls");
    let more = time::timeout(Duration::from_secs(3), watch.next()).await;
    assert!(more.is_err(), "{more:?}");

    // An apiserver that has just started knows of no right for a moment, either.
    namespace.grant(&["get", "create", "update", "watch"]);
    let Swap::Written(written) = lock.swap(&seen, &Record::free(seen.era.clone())).await.unwrap()
    else {
        panic!("refused")
    };
    let began = Instant::now();
    while watch.next().await.unwrap().unwrap() != written {}
    assert!(began.elapsed() < Duration::from_secs(10), "blind for {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_gone_is_told_so() {
    let namespace = Namespace::new();
    let lock = KubernetesLock::connect(&namespace.url("jobs")).await.unwrap();
    namespace.server.kubectl(&["delete", "serviceaccount", USER]);
    let began = Instant::now();
    let error = loop {
        // The apiserver keeps what it knew of a token for some seconds.
        if let Err(error) = lock.observe().await {
            break error;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the token still works");
        time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("credentials are expired"), "{error}");
    namespace.keeps_secrets(&error);
}
