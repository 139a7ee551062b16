//! A namespace with an account of few rights, and Pods that nobody runs.

use std::{
    fs,
    time::{Duration, Instant},
};

use leasehold_testkit::kubernetes::Apiserver;
use serde_json::{Value, json};

/// Who the manifests are for.
const USER: &str = "leasehold";

pub(crate) const LABEL: &str = "leasehold.dev/leader";

pub(crate) struct Place {
    pub(crate) server: Apiserver,
}

impl Place {
    /// With what is in the manifest of the lease, and in these.
    pub(crate) fn new(manifests: &[&str]) -> Self {
        let place = Self { server: Apiserver::shared().new_namespace() };
        for manifest in [&["role"], manifests].concat() {
            place.server.apply(&manifest_text(manifest));
        }
        place.server.until_may(USER, "update", "leases/jobs", true);
        place.server.until_may(USER, "patch", "pods", manifests.contains(&"pod-role"));
        place.server.until_may(USER, "create", "events", manifests.contains(&"events-role"));
        place
    }

    /// With the words behind the `?`.
    pub(crate) fn url(&self, parameters: &str) -> String {
        format!("{}&{parameters}", self.server.url_of(USER, "jobs"))
    }

    pub(crate) fn url_of_pod(&self, pod: &str) -> String {
        self.url(&format!("label_pod=true&pod={pod}"))
    }

    /// One that is never scheduled, so that nobody else writes to it.
    pub(crate) fn create_pod(&self, name: &str) {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": name, "labels": { "app": "jobs" } },
            "spec": {
                "schedulerName": "nobody",
                "containers": [{ "name": "jobs", "image": "example.com/jobs" }],
            },
        });
        self.server.apply(&pod.to_string());
    }

    pub(crate) fn pod(&self, name: &str) -> Value {
        let text = self.server.kubectl(&["get", "pod", name, "--output=json"]);
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn is_labelled(&self, pod: &str) -> bool {
        match &self.pod(pod)["metadata"]["labels"][LABEL] {
            Value::Null => false,
            value => {
                assert_eq!(value, "true");
                true
            }
        }
    }

    pub(crate) async fn until_labelled(&self, pod: &str, labelled: bool) {
        until(&format!("{pod} labelled: {labelled}"), || self.is_labelled(pod) == labelled).await;
    }

    /// Names of those with these labels.
    pub(crate) fn selected(&self, selector: &str) -> String {
        let names = "--output=jsonpath={.items[*].metadata.name}";
        self.server.kubectl(&["get", "pods", "--selector", selector, names])
    }

    /// Of the Pod's last write, or of the Lease's: they count together.
    pub(crate) fn version(&self, object: &str) -> u64 {
        let version = "--output=jsonpath={.metadata.resourceVersion}";
        self.server.kubectl(&["get", object, version]).parse().unwrap()
    }

    pub(crate) fn holder(&self) -> String {
        self.server.kubectl(&["get", "lease/jobs", "--output=jsonpath={.spec.holderIdentity}"])
    }
}

pub(crate) fn manifest_text(name: &str) -> String {
    fs::read_to_string(format!("{}/manifests/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What is done in the background is asked for again and again.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "not so in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
