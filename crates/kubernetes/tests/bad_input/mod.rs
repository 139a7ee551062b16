//! What is wrong with a configuration, with the way to the apiserver or with what answers there: an
//! error that says what to do, and never a lease.

mod credentials;
mod other_cluster;
mod places;
mod plugins;
mod servers;
mod stranger;
mod urls;

use std::path::Path;

use crate::common::kubeconfig;
use futures::StreamExt;
use leasehold_core::{Error, ErrorKind, LeaseLock, Record};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::json;
use tempfile::NamedTempFile;

const SECRET: &str = "hunter2";

fn url(file: &Path) -> String {
    format!("kubernetes:///jobs?kubeconfig={}", file.display())
}

async fn connect(file: &NamedTempFile) -> Error {
    KubernetesLock::connect(&url(file.path())).await.unwrap_err()
}

/// The operator's.
fn good_token() -> String {
    let token = "--output=jsonpath={.users[0].user.token}";
    Apiserver::shared().kubectl(&["config", "view", "--minify", "--raw", token])
}

/// A kubeconfig of whoever is at this address.
fn stranger_at(server: &str) -> NamedTempFile {
    kubeconfig(|cluster, user| {
        cluster["server"] = json!(server);
        *user = json!({ "token": SECRET });
    })
}

#[track_caller]
fn assert_says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let said = error.to_string();
    assert_eq!(error.kind(), kind, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }
    let all = format!("{error} {error:?} {error:#?}");
    assert!(!all.contains(SECRET), "{all}");
    assert!(!said.contains('\n'), "{said}");
}

/// Whatever is asked there is an error of one kind; and what it says when one connects.
async fn refused(file: &NamedTempFile, kind: ErrorKind, parts: &[&str]) {
    let (config, name) = KubernetesConfig::from_url(&url(file.path())).unwrap();
    let lock = Kubernetes::new(config).await.unwrap().lock(name).unwrap();
    assert!(!format!("{lock:?} {}", lock.describe()).contains(SECRET));
    let looked = lock.observe().await.unwrap_err();
    let absent = leasehold_core::Observation::absent(
        leasehold_core::Era::new("none"),
        leasehold_core::Version::ABSENT,
    );
    let swapped = lock.swap(&absent, &Record::free(absent.era.clone())).await.unwrap_err();
    let watched = lock.watch().next().await.unwrap().unwrap_err();
    for error in [&looked, &swapped, &watched, &connect(file).await] {
        assert_says(error, kind, parts);
    }
}
