//! The contract, one test for each sentence, on a real apiserver.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use common::kubectl;
use leasehold_core::LeaseLock;
use leasehold_kubernetes::{Kubernetes, KubernetesConfig};
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
};
use serde_json::{Value, json};

conformance!(apiserver, KubernetesFixture::new());

/// Where the backend keeps its record.
const ANNOTATION: &str = "leasehold.dev/record";

/// As much as the apiserver takes of all annotations together, and less.
const LONGEST: usize = 200 << 10;

struct KubernetesFixture {
    lease: String,
}

impl KubernetesFixture {
    fn new() -> Self {
        static LEASES: AtomicU64 = AtomicU64::new(0);
        let number = LEASES.fetch_add(1, Ordering::Relaxed);
        // A cluster from the environment knows the leases of earlier runs.
        Self { lease: format!("jobs-{}-{number}", std::process::id()) }
    }

    async fn open(&self, lease: &str) -> Arc<dyn LeaseLock> {
        let (config, name) = KubernetesConfig::from_url(&format!("kubernetes:///{lease}")).unwrap();
        Arc::new(Kubernetes::new(config).await.unwrap().lock(name).unwrap())
    }

    async fn kubectl(&self, words: &[&str], input: String) -> String {
        let words: Vec<_> = words
            .iter()
            .map(|word| if *word == "NAME" { self.lease.clone() } else { (*word).to_owned() })
            .collect();
        tokio::task::spawn_blocking(move || {
            kubectl(&words.iter().map(String::as_str).collect::<Vec<_>>(), &input)
        })
        .await
        .unwrap()
    }

    async fn object(&self) -> Value {
        let words = ["get", "lease", "NAME", "-o", "json"];
        serde_json::from_str(&self.kubectl(&words, String::new()).await).unwrap()
    }
}

impl Drop for KubernetesFixture {
    fn drop(&mut self) {
        let nightly = format!("{}.nightly", self.lease);
        kubectl(&["delete", "lease", &self.lease, &nightly, "--ignore-not-found"], "");
    }
}

#[async_trait]
impl Fixture for KubernetesFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        self.open(&self.lease).await
    }

    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        self.open(&format!("{}.nightly", self.lease)).await
    }

    fn lease_name(&self) -> String {
        self.lease.clone()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["admin-token".to_owned()]
    }

    fn compares_era(&self) -> bool {
        true
    }

    fn believes_tokens_above_versions(&self) -> bool {
        false
    }

    async fn delete(&self) {
        self.kubectl(&["delete", "lease", "NAME", "--ignore-not-found"], String::new()).await;
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        if garbage == Garbage::AbsurdVersion {
            return Feat::Impossible("the version is etcd's own count");
        }
        let mut object = self.object().await;
        let text =
            String::from_utf8_lossy(&garbage.bytes()).chars().take(LONGEST).collect::<String>();
        object["metadata"]["annotations"] = json!({ ANNOTATION: text });
        object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        object["spec"] = json!({});
        self.kubectl(&["replace", "-f", "-"], object.to_string()).await;
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        // As a backup is restored: the same Lease, and another object.
        let mut object = self.object().await;
        self.delete().await;
        let metadata = object["metadata"].as_object_mut().unwrap();
        for own in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            metadata.remove(own);
        }
        self.kubectl(&["create", "-f", "-"], object.to_string()).await;
        Feat::Done
    }

    async fn forget(&self) -> Feat {
        self.delete().await;
        Feat::Done
    }

    async fn touch(&self) -> Feat {
        self.kubectl(&["label", "lease", "NAME", "somebody=else"], String::new()).await;
        Feat::Done
    }
}
