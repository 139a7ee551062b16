//! The label, while all is well.

use leasehold_core::LeaseName;
use leasehold_core::Timing;
use leasehold_kubernetes::{Kubernetes, KubernetesConfig};
use serde_json::Value;

use super::{
    leader,
    place::{LABEL, Place, manifest_text, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pod_that_leads_is_labelled_until_just_before_the_release() {
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    place.create_pod("pod-b");
    for pod in ["pod-a", "pod-b"] {
        let leadership = leader(&place.url_of_pod(pod), pod, Timing::default()).await;
        place.until_labelled(pod, true).await;
        assert_eq!(place.selected(&format!("{LABEL}=true")), pod);
        leadership.resign().await;
        // Nothing is waited for: it is gone, and was before the lease was free.
        assert!(!place.is_labelled(pod));
        let (unlabelled, released) =
            (place.version(&format!("pod/{pod}")), place.version("lease/jobs"));
        assert!(unlabelled < released, "the Pod's {unlabelled} is after the lease's {released}");
        assert_eq!(place.holder(), "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_life_of_the_pod_has_left_is_removed_at_its_start() {
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    place.server.kubectl(&["label", "pod", "pod-a", &format!("{LABEL}=true")]);
    let (config, name) = KubernetesConfig::from_url(&place.url_of_pod("pod-a")).unwrap();
    let lock = Kubernetes::new(config).await.unwrap().lock(name).unwrap();
    place.until_labelled("pod-a", false).await;
    assert_eq!(place.pod("pod-a")["metadata"]["labels"]["app"], "jobs");
    drop(lock);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_leases_of_a_pod_have_one_label_that_the_last_takes_away() {
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    let url = place.url_of_pod("pod-a");
    let jobs = leader(&url, "a", Timing::default()).await;
    place.until_labelled("pod-a", true).await;
    let labelled = place.version("pod/pod-a");

    // Another lock of the process, on another lease: its role is the operator's.
    let url = place.server.url("nightly") + "&label_pod=true&pod=pod-a";
    let nightly = leader(&url, "a", Timing::default()).await;
    jobs.resign().await;
    assert!(place.is_labelled("pod-a"));
    assert_eq!(place.version("pod/pod-a"), labelled, "it was taken away in between");
    nightly.resign().await;
    assert!(!place.is_labelled("pod-a"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_labelled_in_its_own_namespace_wherever_the_lease_is() {
    let place = Place::new(&[]);
    place.create_pod("pod-a");
    let elsewhere = place.server.new_namespace();
    let url = elsewhere.url_with(place.server.kubeconfig(), "jobs") + "&label_pod=true&pod=pod-a";
    let leadership = leader(&url, "a", Timing::default()).await;
    place.until_labelled("pod-a", true).await;
    leadership.resign().await;
    assert!(!place.is_labelled("pod-a"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_selects_the_pod_that_leads() {
    let place = Place::new(&["pod-role"]);
    place.server.apply(&manifest_text("service"));
    let selector = place.server.kubectl(&[
        "get",
        "service",
        "jobs-leader",
        "--output=jsonpath={.spec.selector}",
    ]);
    let selector: serde_json::Map<String, Value> = serde_json::from_str(&selector).unwrap();
    let selector = selector.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap()));
    let selector = selector.collect::<Vec<_>>().join(",");
    let url =
        "--output=jsonpath={.spec.template.spec.containers[0].env[?(@.name==\"LEASE\")].value}";
    let url = place.server.kubectl(&["get", "deployment", "jobs", url]);
    let (config, name) = KubernetesConfig::from_url(&url).unwrap();
    assert_eq!(config, KubernetesConfig::new().with_labelled_pod().with_events());
    assert_eq!(name, LeaseName::new("jobs").unwrap());

    // As the Deployment would make them.
    for pod in ["pod-a", "pod-b", "pod-c"] {
        place.create_pod(pod);
    }
    let leadership = leader(&place.url_of_pod("pod-b"), "b", Timing::default()).await;
    until("selected", || place.selected(&selector) == "pod-b").await;
    leadership.resign().await;
    assert_eq!(place.selected(&selector), "");
}
