//! What is read again may be of another cluster, where nobody holds the lease.

use std::{
    fs,
    time::{Duration, Instant},
};

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig};
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{SECRET, assert_says, good_token, stranger::Stranger, url};

/// A kubeconfig of two clusters, of which the first is the real one, and this context is current.
fn two_clusters(current: &str, token: &str, first: Option<&str>, second: &str) -> Value {
    let text = Apiserver::shared().kubectl(&[
        "config",
        "view",
        "--minify",
        "--flatten",
        "--raw",
        "--output=json",
    ]);
    let mut config: Value = serde_json::from_str(&text).unwrap();
    let mut cluster = config["clusters"][0]["cluster"].take();
    if let Some(first) = first {
        cluster["server"] = json!(first);
    }
    let context = |cluster: &str| json!({ "cluster": cluster, "user": "both" });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            { "name": "first", "cluster": cluster },
            { "name": "second", "cluster": { "server": second } },
        ],
        "users": [{ "name": "both", "user": { "token": token } }],
        "contexts": [
            { "name": "first", "context": context("first") },
            { "name": "second", "context": context("second") },
        ],
        "current-context": current,
    })
}

/// As `kubectl config use-context` does it, in a terminal beside the process.
#[tokio::test]
async fn credentials_that_are_read_again_lead_to_no_other_cluster() {
    let other = Stranger::who_answers("200 OK", "application/json", "{}").await;
    let second = format!("http://{}", other.address);
    let file = NamedTempFile::new().unwrap();
    let write = |config: Value| fs::write(file.path(), config.to_string()).unwrap();
    write(two_clusters("first", SECRET, None, &second));
    let (config, name) = KubernetesConfig::from_url(&url(file.path())).unwrap();
    let lock = Kubernetes::new(config).await.unwrap().lock(name).unwrap();
    let refused = lock.observe().await.unwrap_err();
    assert_says(&refused, ErrorKind::Denied, &["credentials are expired"]);

    // Another context is current by now: it goes on with its own.
    write(two_clusters("second", &good_token(), None, &second));
    let began = Instant::now();
    while lock.observe().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "the renewed token was not read");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(other.visitors(), 0);
}

#[tokio::test]
async fn a_context_that_is_of_another_cluster_by_now_is_an_error() {
    let other = Stranger::who_answers("200 OK", "application/json", "{}").await;
    let second = format!("http://{}", other.address);
    let file = NamedTempFile::new().unwrap();
    let write = |config: Value| fs::write(file.path(), config.to_string()).unwrap();
    write(two_clusters("first", SECRET, None, &second));
    let (config, name) = KubernetesConfig::from_url(&url(file.path())).unwrap();
    let lock = Kubernetes::new(config).await.unwrap().lock(name).unwrap();
    write(two_clusters("first", &good_token(), Some(&second), &second));
    let began = Instant::now();
    let error = loop {
        let error = lock.observe().await.unwrap_err();
        if error.kind() == ErrorKind::Invalid {
            break error;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let real = format!("https://{}", Apiserver::shared().address());
    assert_says(&error, ErrorKind::Invalid, &["another cluster", &second, &real]);
    assert_eq!(other.visitors(), 0);
    // It was a mistake, and is mended.
    write(two_clusters("first", &good_token(), None, &second));
    lock.observe().await.unwrap();
}
