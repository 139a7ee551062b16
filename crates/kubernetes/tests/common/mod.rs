use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use leasehold_core::{LeaseName, Observation};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::Value;

/// Where the backend keeps its record.
pub(crate) const ANNOTATION: &str = "leasehold.dev/record";

/// A Lease of one test, in a namespace of its own, as everybody but the backend sees it.
pub(crate) struct Subject {
    pub(crate) server: Apiserver,
    pub(crate) name: String,
}

impl Subject {
    pub(crate) fn new() -> Self {
        Self { server: Apiserver::shared().new_namespace(), name: "jobs".to_owned() }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub(crate) fn config(&self) -> KubernetesConfig {
        KubernetesConfig::new().with_kubeconfig(self.server.kubeconfig())
    }

    pub(crate) async fn lock(&self) -> KubernetesLock {
        self.lock_with(self.config()).await
    }

    pub(crate) async fn lock_with(&self, config: KubernetesConfig) -> KubernetesLock {
        let name = LeaseName::new(&self.name).unwrap();
        Kubernetes::new(config).await.unwrap().lock(name).unwrap()
    }

    pub(crate) fn object(&self) -> Value {
        let text = self.server.kubectl(&["get", "lease", &self.name, "--output=json"]);
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn spec(&self) -> Value {
        self.object()["spec"].clone()
    }

    /// Changes some fields, and removes those that are null.
    pub(crate) fn patch(&self, patch: &Value) {
        let patch = format!("--patch={patch}");
        self.server.kubectl(&["patch", "lease", &self.name, "--type=merge", &patch]);
    }

    pub(crate) fn label(&self, label: &str) {
        self.server.kubectl(&["label", "--overwrite", "lease", &self.name, label]);
    }

    /// Writes the Lease as somebody would who knows nothing of this library.
    pub(crate) fn create(&self, spec: &Value) {
        self.write(
            "create",
            &serde_json::json!({
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": { "name": self.name },
                "spec": spec,
            }),
        );
    }

    /// As a backup is restored: what the object says is the same, and it is another one.
    pub(crate) fn create_again(&self, mut object: Value) {
        self.delete();
        let metadata = object["metadata"].as_object_mut().unwrap();
        for own in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            metadata.remove(own);
        }
        self.write("create", &object);
    }

    /// Has kubectl `create` the whole object, or `replace` it.
    pub(crate) fn write(&self, verb: &str, object: &Value) {
        self.server.kubectl(&[verb, &format!("--filename={}", self.file(object).display())]);
    }

    fn file(&self, object: &Value) -> PathBuf {
        static FILES: AtomicU64 = AtomicU64::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let file = self.server.run_directory().join(format!("object-{number}.json"));
        fs::write(&file, object.to_string()).unwrap();
        file
    }

    pub(crate) fn delete(&self) {
        self.server.kubectl(&["delete", "lease", &self.name, "--ignore-not-found"]);
    }
}

/// The time as a Lease has it: to the microsecond, always with six digits.
pub(crate) fn now() -> String {
    format!("{:.6}", k8s_openapi::jiff::Timestamp::now())
}

pub(crate) fn holder(seen: &Observation) -> Option<&str> {
    seen.record.as_ref().and_then(|record| record.holder())
}

/// A kubeconfig of the cluster's operator, with some things changed in its only cluster and user.
pub(crate) fn kubeconfig(change: impl FnOnce(&mut Value, &mut Value)) -> tempfile::NamedTempFile {
    let words = ["config", "view", "--minify", "--flatten", "--raw", "--output=json"];
    let text = Apiserver::shared().kubectl(&words);
    let mut config: Value = serde_json::from_str(&text).unwrap();
    let mut cluster = config["clusters"][0]["cluster"].take();
    let mut user = config["users"][0]["user"].take();
    change(&mut cluster, &mut user);
    config["clusters"][0]["cluster"] = cluster;
    config["users"][0]["user"] = user;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), config.to_string()).unwrap();
    file
}
