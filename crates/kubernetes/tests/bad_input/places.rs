//! There is no such namespace, nobody, or nothing.

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_kubernetes::KubernetesLock;
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::json;
use tokio::net::TcpSocket;

use super::{assert_says, refused, stranger_at};
use crate::common::Subject;

#[tokio::test]
async fn a_namespace_that_is_missing_is_named() {
    let missing = "no-such-namespace";
    let kubeconfig = Apiserver::shared().kubeconfig().display();
    let url = format!("kubernetes://{missing}/jobs?kubeconfig={kubeconfig}");
    let error = KubernetesLock::connect(&url).await.unwrap_err();
    assert_says(&error, ErrorKind::Invalid, &[missing, "not found", "create the namespace"]);
}

#[tokio::test]
async fn to_connect_writes_nothing() {
    let subject = Subject::new();
    KubernetesLock::connect(&subject.url()).await.unwrap();
    assert_eq!(subject.lock().await.observe().await.unwrap().record, None);
    subject.create(&json!({}));
    let before = subject.object();
    KubernetesLock::connect(&subject.url()).await.unwrap();
    assert_eq!(subject.object(), before);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let place = nobody.local_addr().unwrap().to_string();
    for scheme in ["http", "https"] {
        let file = stranger_at(&format!("{scheme}://{place}"));
        let parts = [&place, "refused", "see whether it runs"];
        refused(&file, ErrorKind::Unreachable, &parts).await;
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_so() {
    // What no resolver is asked about: a part of a name has 63 letters at most.
    let host = "x".repeat(64);
    let file = stranger_at(&format!("https://{host}:7"));
    refused(&file, ErrorKind::Unreachable, &[&host, "does not resolve"]).await;
}
