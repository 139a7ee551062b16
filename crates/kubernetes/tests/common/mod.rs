#![allow(dead_code, reason = "each test uses what it needs")]

use std::{
    env,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use leasehold_core::{LeaseName, Observation};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};
use serde_json::Value;

/// Where the backend keeps its record.
pub(crate) const ANNOTATION: &str = "leasehold.dev/record";

/// What the cluster's operator does, with the cluster's own tool.
pub(crate) fn try_kubectl(words: &[&str], input: &str) -> Result<String, String> {
    let kept = PathBuf::from(env::var_os("HOME").unwrap()).join(".cache/leasehold/servers/kubectl");
    let mut child = Command::new(kept)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

pub(crate) fn kubectl(words: &[&str], input: &str) -> String {
    match try_kubectl(words, input) {
        Ok(output) => output,
        Err(error) => panic!("kubectl {words:?} failed: {error}"),
    }
}

/// A Lease of one test, as everybody but the backend sees it.
pub(crate) struct Subject {
    pub(crate) name: String,
}

impl Subject {
    pub(crate) fn new() -> Self {
        static LEASES: AtomicU64 = AtomicU64::new(0);
        let number = LEASES.fetch_add(1, Ordering::Relaxed);
        // A cluster from the environment knows the leases of earlier runs.
        Self { name: format!("jobs-{}-{number}", std::process::id()) }
    }

    pub(crate) fn url(&self) -> String {
        format!("kubernetes:///{}", self.name)
    }

    pub(crate) async fn lock(&self) -> KubernetesLock {
        self.lock_with(KubernetesConfig::new()).await
    }

    pub(crate) async fn lock_with(&self, config: KubernetesConfig) -> KubernetesLock {
        let name = LeaseName::new(&self.name).unwrap();
        Kubernetes::new(config).await.unwrap().lock(name).unwrap()
    }

    pub(crate) fn object(&self) -> Value {
        let text = kubectl(&["get", "lease", &self.name, "-o", "json"], "");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn spec(&self) -> Value {
        self.object()["spec"].clone()
    }

    /// Changes some fields, and removes those that are null.
    pub(crate) fn patch(&self, patch: &Value) {
        let patch = patch.to_string();
        kubectl(&["patch", "lease", &self.name, "--type=merge", "-p", &patch], "");
    }

    /// Writes the Lease as somebody would who knows nothing of this library.
    pub(crate) fn create(&self, spec: &Value) {
        let object = serde_json::json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": self.name },
            "spec": spec,
        });
        kubectl(&["create", "-f", "-"], &object.to_string());
    }

    pub(crate) fn delete(&self) {
        kubectl(&["delete", "lease", &self.name, "--ignore-not-found"], "");
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Where a test has failed already, that is the news.
        let _ = try_kubectl(&["delete", "lease", &self.name, "--ignore-not-found"], "");
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
    let text = kubectl(&["config", "view", "--minify", "--flatten", "--raw", "-o", "json"], "");
    let mut config: Value = serde_json::from_str(&text).unwrap();
    let mut cluster = config["clusters"][0]["cluster"].take();
    let mut user = config["users"][0]["user"].take();
    change(&mut cluster, &mut user);
    config["clusters"][0]["cluster"] = cluster;
    config["users"][0]["user"] = user;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    file
}

/// Where the apiserver listens.
pub(crate) fn address() -> std::net::SocketAddr {
    let jsonpath = "jsonpath={.clusters[0].cluster.server}";
    let server = kubectl(&["config", "view", "--minify", "-o", jsonpath], "");
    server.trim_start_matches("https://").trim_end_matches('/').parse().unwrap()
}
