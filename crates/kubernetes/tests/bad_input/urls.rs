//! URLs and names.

use std::time::Duration;

use leasehold_core::{ErrorKind, LeaseName};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig};

use super::assert_says;
use crate::common::Subject;

#[test]
fn a_url_that_is_none_is_refused_with_the_form() {
    let form = "kubernetes://[NAMESPACE]/NAME";
    for (url, said) in [
        ("", "does not begin"),
        ("kubernetes:jobs", "does not begin"),
        ("redis://h#jobs", "does not begin"),
        ("kubernetes://jobs", "the slash in front of the name is missing"),
        ("kubernetes:///", "the name of the lease is missing"),
        ("kubernetes://user:hunter2@host/jobs", "a namespace stands where"),
        ("kubernetes://host:6443/jobs", "a namespace stands where"),
        ("kubernetes:///jobs?mixed_fleet=yes", "either true or false"),
        ("kubernetes:///jobs?mixed_fleet", "either true or false"),
        ("kubernetes:///jobs?label_pod=pod-a", "either true or false"),
        ("kubernetes:///jobs?events=1", "either true or false"),
        ("kubernetes:///jobs?pod=pod-a", "\"label_pod\", which is missing"),
        ("kubernetes:///jobs?label_pod=true&pod=", "has no value"),
        ("kubernetes:///jobs?context=", "has no value"),
        ("kubernetes:///jobs?context=a&context=b", "is there twice"),
        ("kubernetes:///jobs?token=hunter2", "\"token\" is unknown"),
        ("kubernetes:///%ff", "not UTF-8"),
    ] {
        let error = KubernetesConfig::from_url(url).unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &[said, form]);
    }
}

#[test]
fn a_name_that_no_object_of_a_cluster_can_have_is_refused_with_the_rule() {
    for name in ["Jobs", "-jobs", "jobs-", "a..b", "a/b", ".a", "a_b", "ω", "jobs%20"] {
        let error = KubernetesConfig::from_url(&format!("kubernetes:///{name}")).unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["lower case letters, digits, dashes and dots"]);
    }
    for namespace in ["Shop", "a.b", "-a", &"a".repeat(64)] {
        let url = format!("kubernetes://{namespace}/jobs");
        let error = KubernetesConfig::from_url(&url).unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["1 to 63 lower case letters, digits and dashes"]);
    }
    for name in ["a", "0", "a.b-c.d1", &"a".repeat(253)] {
        assert!(KubernetesConfig::from_url(&format!("kubernetes:///{name}")).is_ok(), "{name}");
    }
}

#[test]
fn a_url_says_what_a_configuration_does() {
    let url = "KUBERNETES://shop/jobs?kubeconfig=/etc/k%20c&context=a%26b&mixed_fleet=true";
    let (config, name) = KubernetesConfig::from_url(url).unwrap();
    assert_eq!(name.as_str(), "jobs");
    let same = KubernetesConfig::new().with_namespace("shop").unwrap();
    assert_eq!(config, same.with_kubeconfig("/etc/k c").with_context("a&b").with_mixed_fleet());

    let (config, _) =
        KubernetesConfig::from_url("kubernetes:///jobs?label_pod=true&pod=pod-a&events=true")
            .unwrap();
    assert_eq!(config, KubernetesConfig::new().with_labelled_pod().with_pod("pod-a").with_events());
    let (config, _) =
        KubernetesConfig::from_url("kubernetes:///jobs?label_pod=false&events=false").unwrap();
    assert_eq!(config, KubernetesConfig::new());
}

#[tokio::test]
async fn a_time_to_connect_in_which_nobody_can_be_reached_is_refused() {
    for timeout in [Duration::ZERO, Duration::from_micros(999)] {
        let config = Subject::new().config().with_connect_timeout(timeout);
        let error = Kubernetes::new(config).await.unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &[&format!("{timeout:?}"), "1ms at least"]);
    }
}

#[tokio::test]
async fn a_lock_is_made_for_names_that_objects_can_have() {
    let kubernetes = Kubernetes::new(Subject::new().config()).await.unwrap();
    let error = kubernetes.lock(LeaseName::new("Jobs of mine").unwrap()).unwrap_err();
    assert_says(&error, ErrorKind::Invalid, &["Jobs of mine", "lower case"]);
}
