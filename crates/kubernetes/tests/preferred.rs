//! `spec.preferredHolder`: the cluster would rather have somebody else lead, and says so.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use leasehold_core::{Candidate, Elector, LeaseLock, Status, Timing, create_free};
use leasehold_kubernetes::KubernetesLock;
use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const NAME: &str = "jobs";

/// The fields are kept only by an apiserver that has coordinated leader election.
fn server() -> Apiserver {
    ApiserverOptions::new()
        .argument("--feature-gates=CoordinatedLeaderElection=true")
        .argument("--runtime-config=coordination.k8s.io/v1beta1=true")
        .start()
        .unwrap()
}

/// A leader renews so seldom that it is the watch which tells it of a wish.
fn seldom() -> Timing {
    Timing::new(Duration::from_secs(15), Duration::from_secs(10), Duration::from_secs(2)).unwrap()
}

async fn elector(server: &Apiserver, name: &str) -> Elector {
    let lock = KubernetesLock::connect(&server.url(NAME)).await.unwrap();
    Elector::new(lock, Candidate::new(name).unwrap()).with_timing(seldom())
}

fn prefer(server: &Apiserver, whom: &str) {
    let patch =
        format!(r#"{{"spec":{{"strategy":"OldestEmulationVersion","preferredHolder":"{whom}"}}}}"#);
    server.kubectl(&["patch", "lease", NAME, "--type=merge", "--patch", &patch]);
    assert_eq!(spec(server)["preferredHolder"], whom, "the apiserver keeps it");
}

fn spec(server: &Apiserver) -> Value {
    let lease = server.kubectl(&["get", "lease", NAME, "--output=json"]);
    serde_json::from_str::<Value>(&lease).unwrap()["spec"].take()
}

#[tokio::test]
async fn a_leader_steps_down_for_the_preferred_holder_which_then_leads_and_the_wish_is_forgotten() {
    let server = server();
    let lock = KubernetesLock::connect(&server.url(NAME)).await.unwrap();
    assert!(create_free(&lock).await.unwrap());
    let shutdown = CancellationToken::new();
    let (one, another) = (elector(&server, "pod-a").await, elector(&server, "pod-b").await);
    let wanted = elector(&server, "pod-c").await;
    let lead = one.campaign(&shutdown).await.unwrap();
    let token = lead.token();

    // By its own name: nothing changes, and a renewal forgets it.
    prefer(&server, "pod-a");
    let mut watch = lock.watch();
    while watch.next().await.unwrap().unwrap().preferred.is_some() {}
    assert!(lead.is_current() && lead.stopping().now_or_never().is_none());
    assert!(spec(&server)["holderIdentity"].as_str().unwrap().starts_with("pod-a_"));

    let mut statuses = [another.status(), wanted.status()];
    let others = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { another.campaign(&shutdown).await.map(|lead| lead.token()) }
    });
    let successor = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { wanted.campaign(&shutdown).await }
    });
    for status in &mut statuses {
        status.wait_for(|status| matches!(status, Status::Following { .. })).await.unwrap();
    }
    prefer(&server, "pod-c");
    lead.stopping().await;
    assert!(lead.resign().await);
    let successor = successor.await.unwrap().unwrap();
    assert!(successor.token() > token);
    let now = spec(&server);
    assert_eq!(now["preferredHolder"], Value::Null, "the wish was for that term: {now}");
    assert_eq!(now["strategy"], "OldestEmulationVersion", "it is not ours to change");
    assert!(!others.is_finished(), "pod-b was not meant");
    shutdown.cancel();
    assert!(others.await.unwrap().is_err());
}
