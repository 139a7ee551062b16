//! The label, where Pods cannot be labelled: the election goes on.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use leasehold_core::{Leadership, Timing};
use serde_json::json;

use super::{
    leader,
    place::{LABEL, Place, manifest_text, until},
    warnings,
};

/// One that looks at all Pods of a namespace, and never says what it thinks of them.
struct Webhook<'a> {
    place: &'a Place,
    listener: TcpListener,
}

impl<'a> Webhook<'a> {
    async fn of(place: &'a Place) -> Self {
        let webhook = Self { place, listener: TcpListener::bind("127.0.0.1:0").unwrap() };
        let namespace = place.server.namespace();
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": { "name": namespace },
            "webhooks": [{
                "name": "silent.example.com",
                "clientConfig": { "url": format!("https://{}", webhook.listener.local_addr().unwrap()) },
                "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods"] }],
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 30,
                "failurePolicy": "Fail",
            }],
        });
        place.server.apply(&configuration.to_string());
        // It is asked a moment after it was written.
        let try_it = [
            "label",
            "pod",
            "pod-a",
            "a=b",
            "--overwrite",
            "--dry-run=server",
            // Long beside what kubectl takes on a busy machine.
            "--request-timeout=3s",
        ];
        until("asked", || place.server.try_kubectl(&try_it).is_err()).await;
        webhook
    }

    fn remove(&self) {
        let name = self.place.server.namespace();
        self.place.server.kubectl(&[
            "delete",
            "validatingwebhookconfiguration",
            name,
            "--ignore-not-found",
        ]);
    }
}

impl Drop for Webhook<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// For so long.
async fn leads_on(leadership: &Leadership, period: Duration) {
    let lost = tokio::time::timeout(period, leadership.stopping()).await;
    assert!(lost.is_err() && leadership.is_current(), "lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_takes_long_delays_no_leadership_and_a_release_by_little() {
    warnings::listen();
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    let timing = Timing::fast();
    let url = place.url_of_pod("pod-a");
    let leadership = leader(&url, "a", timing).await;
    place.until_labelled("pod-a", true).await;

    let webhook = Webhook::of(&place).await;
    let began = Instant::now();
    leadership.resign().await;
    assert!(began.elapsed() < 5 * timing.lease_duration(), "{:?}", began.elapsed());
    assert_eq!(place.holder(), "");
    assert!(place.is_labelled("pod-a"));
    let namespace = place.server.namespace();
    let warned = warnings::with(&[
        namespace,
        LABEL,
        "the lease is released though",
        "kubectl label pod pod-a",
    ]);
    assert_eq!(warned.len(), 1, "{warned:?}");

    let began = Instant::now();
    let leadership = leader(&url, "a", timing).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    leads_on(&leadership, 3 * timing.lease_duration()).await;
    leadership.resign().await;
    webhook.remove();
    place.until_labelled("pod-a", false).await;
}

/// A call of 200 ms at most, of which there are two, and a label that is waited for for a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_takes_longer_than_a_call_delays_a_release_by_one_call() {
    warnings::listen();
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    let millis = Duration::from_millis;
    let timing = Timing::new(millis(15_000), millis(1_000), millis(300)).unwrap();
    let leadership = leader(&place.url_of_pod("pod-a"), "a", timing).await;
    place.until_labelled("pod-a", true).await;

    let webhook = Webhook::of(&place).await;
    leadership.resign().await;
    assert_eq!(place.holder(), "", "the lease was not released");
    assert!(place.is_labelled("pod-a"));
    let namespace = place.server.namespace();
    let warned = warnings::with(&[namespace, LABEL, "the lease is released though"]);
    assert_eq!(warned.len(), 1, "{warned:?}");
    webhook.remove();
    place.until_labelled("pod-a", false).await;
}

/// As by an apiserver that has just started, and knows no role yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_was_refused_is_tried_again() {
    warnings::listen();
    let place = Place::new(&[]);
    place.create_pod("pod-a");
    let leadership = leader(&place.url_of_pod("pod-a"), "a", Timing::default()).await;
    let namespace = place.server.namespace();
    until("refused", || !warnings::with(&[namespace, LABEL]).is_empty()).await;
    place.server.apply(&manifest_text("pod-role"));
    place.until_labelled("pod-a", true).await;
    leadership.resign().await;
    assert!(!place.is_labelled("pod-a"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_label_pods_leads_without_and_one_warning_names_the_right() {
    warnings::listen();
    let place = Place::new(&[]);
    place.create_pod("pod-a");
    let timing = Timing::fast();
    let leadership = leader(&place.url_of_pod("pod-a"), "a", timing).await;
    leads_on(&leadership, 3 * timing.lease_duration()).await;
    let began = Instant::now();
    leadership.resign().await;
    assert!(began.elapsed() < 5 * timing.lease_duration(), "{:?}", began.elapsed());
    assert!(!place.is_labelled("pod-a"));
    // Refused at its start, as it leads, and before the release.
    let warned = warnings::with(&[place.server.namespace(), LABEL]);
    assert_eq!(warned.len(), 1, "{warned:?}");
    let right = ["verb \"patch\"", "resource \"pods\""];
    assert!(right.iter().all(|word| warned[0].contains(word)), "{warned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_not_there_is_named() {
    warnings::listen();
    let place = Place::new(&["pod-role"]);
    leader(&place.url_of_pod("node-7"), "a", Timing::default()).await.resign().await;
    let warned = warnings::with(&[place.server.namespace(), "node-7", "not found", "POD_NAME"]);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(!warned[0].contains("verb"), "it is no right that is missing: {warned:?}");
}
