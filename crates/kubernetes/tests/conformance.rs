//! The contract, one test for each sentence, on a real apiserver.

use std::sync::Arc;

use crate::common::{ANNOTATION, Subject};
use async_trait::async_trait;
use leasehold_core::{LeaseLock, LeaseName};
use leasehold_kubernetes::Kubernetes;
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
};
use serde_json::json;

conformance!(apiserver, KubernetesFixture::new());

/// As much as the apiserver takes of all annotations together, and less.
const LONGEST: usize = 200 << 10;

struct KubernetesFixture {
    subject: Arc<Subject>,
}

impl KubernetesFixture {
    fn new() -> Self {
        Self { subject: Arc::new(Subject::new()) }
    }

    async fn open(&self, lease: &str) -> Arc<dyn LeaseLock> {
        let kubernetes = Kubernetes::new(self.subject.config()).await.unwrap();
        Arc::new(kubernetes.lock(LeaseName::new(lease).unwrap()).unwrap())
    }

    /// What others do, while the candidates go on.
    async fn others(&self, what: impl FnOnce(&Subject) + Send + 'static) {
        let subject = self.subject.clone();
        tokio::task::spawn_blocking(move || what(&subject)).await.unwrap();
    }
}

#[async_trait]
impl Fixture for KubernetesFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        self.open(&self.subject.name).await
    }

    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        self.open(&format!("{}.nightly", self.subject.name)).await
    }

    fn lease_name(&self) -> String {
        self.subject.name.clone()
    }

    fn secrets(&self) -> Vec<String> {
        self.subject.server.secrets()
    }

    fn compares_era(&self) -> bool {
        true
    }

    fn believes_tokens_above_versions(&self) -> bool {
        false
    }

    async fn delete(&self) {
        self.others(Subject::delete).await;
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        if garbage == Garbage::AbsurdVersion {
            return Feat::Impossible("the version is etcd's own count");
        }
        let text =
            String::from_utf8_lossy(&garbage.bytes()).chars().take(LONGEST).collect::<String>();
        self.others(move |subject| {
            let mut object = subject.object();
            object["metadata"]["annotations"] = json!({ ANNOTATION: text });
            object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
            object["spec"] = json!({});
            subject.write("replace", &object);
        })
        .await;
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        self.others(|subject| subject.create_again(subject.object())).await;
        Feat::Done
    }

    async fn forget(&self) -> Feat {
        self.delete().await;
        Feat::Done
    }

    async fn touch(&self) -> Feat {
        self.others(|subject| subject.label("somebody=else")).await;
        Feat::Done
    }
}
